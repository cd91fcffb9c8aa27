#include <testmon_precreate/cleanup.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/plugin_path.hpp>
#include <testmon_precreate/cli/prepare_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/cli/run_audit.hpp>
#include <testmon_precreate/controller.hpp>
#include <testmon_precreate/datafile_choice.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/util/foreground_process.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include <unistd.h>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

struct Options {
  PrepareOptions prepare;
  std::string shard;
  std::vector<std::string> datafile_from;
  bool strict = false;
  bool audit = false;
  std::string summary; // a file
  bool fixed_workers = false;
};

constexpr const char* description =
    "Runs COMMAND with the pytest plugin active, cleans up whatever way it ends, and returns its "
    "exit code (128 + n for signal n). Each testmon run of pytest is prepared by the plugin, from "
    "the facts of the live process. If COMMAND is not pytest and --python names the interpreter "
    "that it uses, the project is also prepared before COMMAND starts. Signals are passed on.\n"
    "With --audit every test is executed, and failures that selection would have missed are named.";

constexpr const char* footer =
    "Examples:\n"
    "  testmon-precreate run -- pytest --testmon -n 4\n"
    "  testmon-precreate run --shard 2/5 -- pytest --testmon -n 4\n"
    "  testmon-precreate run --datafile-from base/.testmondata -- pytest "
    "--testmon -n 4\n"
    "  testmon-precreate run --strict -- make test\n"
    "  testmon-precreate run --audit --strict -- pytest --testmon -n 4\n"
    "  testmon-precreate run --summary testmon.md -- pytest --testmon";

// One run of the command, step by step.
class Run {
public:
  Run(const Options& options, const Program& program)
      : options_(&options)
      , program_(&program)
      , command_(program.after_dashes.value_or(std::vector<std::string>{})) {
    if (command_.empty()) {
      throw core::UsageError({.what = "no command was given",
                              .where = "run",
                              .hint = "Put it behind --, as in: testmon-precreate run -- pytest "
                                      "--testmon -n 4"});
    }
    pytest_ = find_pytest_command(command_);
    if (!options.shard.empty()) {
      static_cast<void>(core::parse_shard(options.shard, "--shard", program.environment));
    }
    if (!options.prepare.wait_for_run.empty()) {
      static_cast<void>(core::parse_seconds(options.prepare.wait_for_run, "--wait-for-run"));
    }
  }

  // Returns the command's exit code. Throws where a strict run cannot be prepared.
  [[nodiscard]] int go() {
    if (switched_off(*program_)) {
      return run_command(program_->environment);
    }
    const std::unique_ptr<RunAudit> audit =
        options_->audit ? std::make_unique<RunAudit>() : std::unique_ptr<RunAudit>();
    util::ProcessEnvironment environment = environment_of_command();
    set_reports(environment, audit.get());
    if (!options_->datafile_from.empty()) {
      start_from_best_datafile();
    }
    // A pytest run knows its own facts better than we can guess them now; what is prepared for
    // another interpreter than the one that will run pytest does harm.
    if (is_interpreter_certain() && (is_strict() || !pytest_)) {
      prepare_ahead();
    } else if (is_strict()) {
      check_ahead();
    } else if (pytest_) {
      warn_of_options_without_effect();
    }
    const int exit_code = run_command(environment);
    end_run();
    return audit ? audit->conclude(exit_code, options_->strict, *program_) : exit_code;
  }

private:
  // Without us, testmon starts a file of another data version anew: what --no-upgrade is to
  // prevent.
  [[nodiscard]] bool is_strict() const { return options_->strict || options_->prepare.no_upgrade; }

  [[nodiscard]] bool is_interpreter_certain() const {
    const PrepareOptions& given = options_->prepare;
    return !given.python.empty() || !given.process_facts.empty() ||
           (pytest_ && pytest_->interpreter);
  }

  [[nodiscard]] PrepareRequest request() const {
    PrepareRequest request = make_prepare_request(options_->prepare, *program_);
    request.pytest_arguments = pytest_ ? pytest_->arguments : std::vector<std::string>{};
    request.run_as_module = pytest_ && pytest_->is_module;
    if (pytest_ && pytest_->interpreter && !request.interpreter) {
      request.interpreter = *pytest_->interpreter;
    }
    request.controller_pid = ::getpid();
    request.run_uid = std::nullopt; // the plugin's run has one, and would take this for another run
    return request;
  }

  // The project's own data file is one of those that are compared; it is nobody's original.
  void start_from_best_datafile() const {
    try {
      const PrepareRequest prepared = request();
      const RunRequest& run = prepared;
      AffectedRequest affected;
      static_cast<RunRequest&>(affected) = run;
      const fs::path rootdir = testmon_precreate::find_project(affected).rootdir;
      const fs::path own = rootdir / affected.settings.datafile_path();
      std::vector<fs::path> files{own};
      files.insert(files.end(), options_->datafile_from.begin(), options_->datafile_from.end());
      const auto best = find_best_datafile(
          affected, files, [this](const std::string& text) { program_->terminal.warning(text); });
      if (!best) {
        program_->terminal.warning("there is no data file to start from");
        return;
      }
      std::error_code ignored;
      if (!fs::equivalent(best->file, own, ignored)) {
        refuse_while_a_run_is_at_work(rootdir, affected.settings);
        take_over({&best->file, 1}, own, rootdir, program_->environment);
      }
      program_->terminal.note(fmt::format(
          "starting from {}: {} of {} tests are unaffected{}", best->file.string(),
          best->unaffected, best->tests,
          best->environment_matches ? "" : ", but ran with other packages or another Python"));
    } catch (const std::exception& error) {
      if (is_strict()) {
        throw;
      }
      program_->terminal.warning(error.what());
    }
  }

  // pytest's own options tell the plugin what these would tell a preparation ahead.
  void warn_of_options_without_effect() const {
    const PrepareOptions& given = options_->prepare;
    std::vector<const char*> unused;
    const auto note = [&](bool is_given, const char* name) {
      if (is_given) {
        unused.push_back(name);
      }
    };
    note(!given.rootdir.empty(), "--rootdir");
    note(!given.config_file.empty(), "--config-file");
    note(!given.python.empty(), "--python");
    note(!given.testmon_environment.empty(), "--testmon-env");
    note(given.workers != 0, "--workers");
    note(given.controller_pid != 0, "--controller-pid");
    note(!given.process_facts.empty(), "--process-facts");
    if (!unused.empty()) {
      program_->terminal.warning(fmt::format(
          "the plugin goes by pytest itself, not by {}; give pytest's own option behind --",
          fmt::join(unused, ", ")));
    }
  }

  void prepare_ahead() {
    try {
      const PrepareReport report = prepare(request(), make_log(options_->prepare, *program_));
      prepared_rootdir_ = report.state.rootdir;
    } catch (const util::Interrupted&) {
      throw; // whoever ends us does not want the command to start
    } catch (const std::exception& error) {
      if (is_strict()) {
        throw;
      }
      program_->terminal.warning(std::string(error.what()) +
                                 " – running the command without testmon-precreate");
    }
  }

  // Writes nothing: the plugin prepares, as strictly.
  void check_ahead() const {
    PrepareRequest check = request();
    check.dry_run = true;
    check.warn = [](const std::string&) {};
    static_cast<void>(prepare(check, make_log(options_->prepare, *program_)));
  }

  [[nodiscard]] util::ProcessEnvironment environment_of_command() const {
    util::ProcessEnvironment environment = program_->environment;
    fs::path executables;
    try {
      executables = executable_directory();
      const fs::path plugin = plugin_directory(executables);
      put_in_front(environment, "PYTHONPATH", plugin.string());
      // Its sitecustomize.py has pytest load the plugin.
      put_in_front(environment, "PYTHONPATH", (plugin / "start").string());
    } catch (const std::exception& error) {
      if (is_strict()) {
        throw;
      }
      program_->terminal.warning(error.what());
      return environment;
    }
    environment.set("TESTMON_XDIST_CONTROLLER_PRECREATION", "true");
    environment.set("TESTMON_XDIST_BIN_DIR", executables.string());
    environment.set("TESTMON_XDIST_PREPARE_OPTIONS", options_for_plugin());
    if (!options_->shard.empty()) {
      environment.set("TESTMON_XDIST_SHARD", options_->shard);
    }
    if (options_->fixed_workers) {
      environment.set("TESTMON_XDIST_WORKERS", "fixed");
    }
    if (options_->prepare.verbose) {
      environment.set("TESTMON_XDIST_DEBUG", "true");
    }
    if (!options_->prepare.datafile.empty()) {
      environment.set("TESTMON_DATAFILE", options_->prepare.datafile);
    }
    return environment;
  }

  // What tells the plugin to report what the run did.
  void set_reports(util::ProcessEnvironment& environment, const RunAudit* audit) const {
    if (!options_->summary.empty()) {
      environment.set("TESTMON_XDIST_SUMMARY", fs::absolute(options_->summary).string());
    }
    if (audit != nullptr) {
      environment.set("TESTMON_XDIST_AUDIT", audit->file().string());
    }
  }

  static void put_in_front(util::ProcessEnvironment& environment, const std::string& name,
                           const std::string& value) {
    const std::string old = environment.get(name).value_or("");
    environment.set(name, old.empty() ? value : value + ':' + old);
  }

  // What the plugin adds to its own call of `prepare`, one word a line.
  [[nodiscard]] std::string options_for_plugin() const {
    const PrepareOptions& given = options_->prepare;
    std::string words = "--keep-environments\n" + std::to_string(given.keep_environments);
    if (given.no_upgrade) {
      words += "\n--no-upgrade";
    }
    if (given.rebuild) {
      words += "\n--rebuild";
    }
    if (!given.wait_for_run.empty()) {
      words += "\n--wait-for-run\n" + given.wait_for_run;
    }
    if (!given.run_uid.empty()) {
      words += "\n--run-uid\n" + given.run_uid;
    }
    if (is_strict()) {
      words += "\n--strict";
    }
    return words;
  }

  [[nodiscard]] int run_command(const util::ProcessEnvironment& environment) const {
    try {
      return util::run_foreground_process(command_, environment);
    } catch (const std::system_error& error) {
      // As a shell has it.
      constexpr int not_found = 127;
      constexpr int not_executable = 126;
      program_->terminal.error(error.what());
      return error.code() == std::errc::no_such_file_or_directory ? not_found : not_executable;
    }
  }

  // What is left: the state made ahead, or one that a killed pytest could not remove; and the WAL
  // of a run that went on without us.
  void end_run() const {
    try {
      const fs::path rootdir = rootdir_of_command();
      CleanupRequest cleanup;
      cleanup.settings = program_->settings;
      cleanup.environment = program_->environment;
      cleanup.warn = [this](const std::string& text) { program_->terminal.warning(text); };
      if (!options_->prepare.datafile.empty()) {
        cleanup.settings.datafile = options_->prepare.datafile;
      }
      cleanup.working_directory = fs::current_path();
      cleanup.rootdir = rootdir;
      cleanup.controller_pid = ::getpid();
      cleanup.truncate_wal = !is_told_not_to_collect();
      static_cast<void>(clean_up(cleanup, program_->log));
    } catch (const core::CoordinationBusy&) {
      // Another run's; it goes when that run ends.
    } catch (const std::exception& error) {
      program_->terminal.warning(error.what());
    }
  }

  // Then the data file must stay as it is.
  [[nodiscard]] bool is_told_not_to_collect() const {
    return pytest_ && std::find(pytest_->arguments.begin(), pytest_->arguments.end(),
                                "--testmon-nocollect") != pytest_->arguments.end();
  }

  [[nodiscard]] fs::path rootdir_of_command() const {
    if (prepared_rootdir_) {
      return *prepared_rootdir_;
    }
    RunRequest run;
    describe_run(run, options_->prepare, *program_);
    run.pytest_arguments = pytest_ ? pytest_->arguments : std::vector<std::string>{};
    if (pytest_ && pytest_->interpreter && !run.interpreter) {
      run.interpreter = *pytest_->interpreter;
    }
    return testmon_precreate::find_project(run).rootdir;
  }

  const Options* options_;
  const Program* program_;
  std::vector<std::string> command_;
  std::optional<PytestCommand> pytest_;
  std::optional<fs::path> prepared_rootdir_; // of the state that was made ahead
};

} // namespace

void add_run_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", description);
  command->footer(footer);
  add_prepare_options(*command, options->prepare);
  command
      ->add_option(
          "--datafile-from", options->datafile_from,
          "Start from a copy of the one of these data files whose environment and contents "
          "match best; they are only read. The project's own competes with them, and "
          "what it holds is kept")
      ->type_name("FILE");
  command
      ->add_option(
          "--shard", options->shard,
          "Run only this machine's part of what is affected: N/COUNT, such as 2/5, or auto "
          "for the variables of GitLab, CircleCI and Buildkite. Every machine must start "
          "from the same data file; `merge` combines what they leave (default: "
          "$TESTMON_XDIST_SHARD)")
      ->type_name("N/COUNT");
  command->add_flag("--strict", options->strict,
                    "Do not start COMMAND where the preparation fails (--no-upgrade implies it)");
  command->add_flag("--audit", options->audit,
                    "Execute every test, and name the failures that selection would have missed; "
                    "with --strict exit with 1 if there is any");
  command
      ->add_option("--summary", options->summary,
                   "Append a summary in Markdown to FILE, as to that of $GITHUB_STEP_SUMMARY")
      ->type_name("FILE");
  command->add_flag("--fixed-workers", options->fixed_workers,
                    "Start as many workers as -n asks for, whatever will run (as with "
                    "TESTMON_XDIST_WORKERS=fixed)");
  command->callback([options, &program] { program.exit_code = Run(*options, program).go(); });
}

} // namespace testmon_precreate::cli
