#include <testmon_precreate/cleanup.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/cli/run_audit.hpp>
#include <testmon_precreate/cli/run_environment.hpp>
#include <testmon_precreate/controller.hpp>
#include <testmon_precreate/datafile_choice.hpp>
#include <testmon_precreate/util/exit_codes.hpp>
#include <testmon_precreate/util/foreground_process.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include <unistd.h>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* description =
    "Runs COMMAND with the pytest plugin active, cleans up however it ends, and returns its "
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
  Run(const RunOptions& options, const Program& program)
      : options_(&options)
      , program_(&program)
      , command_(program.after_dashes.value_or(std::vector<std::string>{})) {
    if (command_.empty()) {
      throw core::UsageError({.what = "no command was given",
                              .where = "run",
                              .hint = "Put it after --, as in: testmon-precreate run -- pytest "
                                      "--testmon -n 4"});
    }
    pytest_ = find_pytest_command(command_);
    if (options.shard) {
      static_cast<void>(core::parse_shard(*options.shard, "--shard", program.environment));
    }
    if (options.prepare.wait_for_run) {
      static_cast<void>(core::parse_seconds(*options.prepare.wait_for_run, "--wait-for-run"));
    }
  }

  // Returns the command's exit code. Throws if a strict run cannot be prepared.
  [[nodiscard]] int go() {
    if (switched_off(*program_)) {
      return run_command(program_->environment);
    }
    const std::unique_ptr<RunAudit> audit =
        options_->audit ? std::make_unique<RunAudit>() : std::unique_ptr<RunAudit>();
    const util::ProcessEnvironment environment =
        environment_of_command(*options_, audit ? audit->file() : fs::path(), *program_);
    if (!options_->datafile_from.empty()) {
      start_from_best_datafile();
    }
    // A pytest run knows its own facts better than we can guess them now; what is prepared for
    // another interpreter than the one that will run pytest does harm.
    if (is_interpreter_certain() && (options_->is_strict() || !pytest_)) {
      prepare_ahead();
    } else if (options_->is_strict()) {
      check_ahead();
    } else if (pytest_) {
      warn_of_options_without_effect();
    }
    const int exit_code = run_command(environment);
    end_run();
    return audit ? audit->conclude(exit_code, options_->strict, *program_) : exit_code;
  }

private:
  [[nodiscard]] bool is_interpreter_certain() const {
    return options_->prepare.request.interpreter || options_->prepare.process_facts ||
           (pytest_ && pytest_->interpreter);
  }

  // The pytest run as the command's words tell it.
  void describe(RunRequest& run) const {
    describe_run(run, *program_);
    run.pytest_arguments = pytest_ ? pytest_->arguments : std::vector<std::string>{};
    run.run_as_module = pytest_ && pytest_->is_module;
    if (pytest_ && pytest_->interpreter && !options_->prepare.request.interpreter) {
      run.interpreter = *pytest_->interpreter;
    }
  }

  [[nodiscard]] PrepareRequest request() const {
    PrepareRequest request = make_prepare_request(options_->prepare, *program_);
    describe(request);
    request.controller_pid = ::getpid();
    request.run_uid = std::nullopt; // the plugin's run has one, and would take this for another run
    return request;
  }

  // The project's own data file is one of those that are compared.
  void start_from_best_datafile() const {
    try {
      AffectedRequest affected;
      const PrepareRequest prepared = request();
      const RunRequest& run = prepared;
      static_cast<RunRequest&>(affected) = run;
      const fs::path rootdir = find_project(affected).rootdir;
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
      if (options_->is_strict()) {
        throw;
      }
      program_->terminal.warning(error.what());
    }
  }

  // pytest's own options tell the plugin what these would tell a preparation ahead.
  void warn_of_options_without_effect() const {
    const PrepareRequest& given = options_->prepare.request;
    std::vector<const char*> unused;
    const auto note = [&](bool is_given, const char* name) {
      if (is_given) {
        unused.push_back(name);
      }
    };
    note(given.rootdir.has_value(), "--rootdir");
    note(given.config_file.has_value(), "--config-file");
    note(given.interpreter.has_value(), "--python");
    note(given.testmon_environment.has_value(), "--testmon-env");
    note(given.workers != 0, "--workers");
    note(given.controller_pid.has_value(), "--controller-pid");
    note(options_->prepare.process_facts.has_value(), "--process-facts");
    if (!unused.empty()) {
      program_->terminal.warning(
          fmt::format("{} {} no effect here; pass pytest's own option after `--`",
                      fmt::join(unused, ", "), unused.size() == 1 ? "has" : "have"));
    }
  }

  void prepare_ahead() {
    try {
      const PrepareReport report = prepare(request(), make_log(options_->prepare, *program_));
      prepared_rootdir_ = report.state.rootdir;
    } catch (const util::Interrupted&) {
      throw; // a run that is being ended must not start the command
    } catch (const std::exception& error) {
      if (options_->is_strict()) {
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

  [[nodiscard]] int run_command(const util::ProcessEnvironment& environment) const {
    try {
      return util::run_foreground_process(command_, environment);
    } catch (const std::system_error& error) {
      program_->terminal.error(error.what());
      return util::exit_code_of_exec_error(error.code().value());
    }
  }

  // What is left: the state made ahead, or one that a killed pytest could not remove; and the WAL
  // of a run that went on without testmon-precreate.
  void end_run() const {
    try {
      const fs::path rootdir = rootdir_of_command();
      CleanupRequest cleanup;
      cleanup.settings = program_->settings;
      cleanup.environment = program_->environment;
      cleanup.warn = [this](const std::string& text) { program_->terminal.warning(text); };
      if (const auto& datafile = options_->prepare.request.settings.datafile) {
        cleanup.settings.datafile = datafile;
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
    PrepareRequest run = options_->prepare.request;
    describe(run);
    return find_project(run).rootdir;
  }

  const RunOptions* options_;
  const Program* program_;
  std::vector<std::string> command_;
  std::optional<PytestCommand> pytest_;
  std::optional<fs::path> prepared_rootdir_; // of the state that was made ahead
};

} // namespace

void add_run_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", description)->footer(footer);
  add_prepare_options(*command, options->prepare);
  command
      ->add_option(
          "--datafile-from", options->datafile_from,
          "Start from a copy of the one of these data files whose environment and contents "
          "match best; they are only read. The project's own competes with them, and "
          "what it holds is kept")
      ->type_name("FILE");
  add_text_option(*command, "--shard", options->shard, "N/COUNT",
                  "Run only this machine's part of what is affected: N/COUNT, such as 2/5, or auto "
                  "for the variables of GitLab, CircleCI and Buildkite. Every machine must start "
                  "from the same data file; `merge` combines what they leave (default: "
                  "$TESTMON_XDIST_SHARD)");
  command->add_flag("--strict", options->strict,
                    "Do not start COMMAND if the preparation fails (--no-upgrade implies it)");
  command->add_flag("--audit", options->audit,
                    "Execute every test, and name the failures that selection would have missed; "
                    "with --strict exit with 1 if there is any");
  add_text_option(*command, "--summary", options->summary, "FILE",
                  "Append a summary in Markdown to FILE, as to that of $GITHUB_STEP_SUMMARY");
  command->add_flag("--fixed-workers", options->fixed_workers,
                    "Start as many workers as -n asks for, whatever will run (as with "
                    "TESTMON_XDIST_WORKERS=fixed)");
  command->callback([options, &program] { program.exit_code = Run(*options, program).go(); });
}

} // namespace testmon_precreate::cli
