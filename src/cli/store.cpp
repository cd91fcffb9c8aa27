#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/store.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <memory>

namespace testmon_precreate::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
  RunRequest run;
  StoreRequest request;
  std::size_t most_megabytes = 2048;
  bool from_pull_request = false;
};

constexpr const char* description =
    "Keeps data files by environment and commit in a directory that your own storage carries from "
    "machine to machine: a CI cache, a mounted bucket, rsync.";

constexpr const char* footer =
    "Examples:\n"
    "  testmon-precreate store pull .testmon-store && testmon-precreate run -- pytest --testmon\n"
    "  testmon-precreate store push .testmon-store\n"
    "\n"
    "A job of a pull request pushes nothing, so that unmerged work reaches no other job. The clone "
    "must have the history that `pull` looks through (fetch-depth: 0).";

// `default-3.12`: what does not change with each package.
std::string default_environment_name(const RunRequest& request) {
  const python::EnvironmentKey key = find_surroundings(request).key;
  const std::string& version = key.python_version;
  return fmt::format("{}-{}", key.environment_name, version.substr(0, version.rfind('.')));
}

StoreRequest make_request(const Options& options, const Program& program) {
  RunRequest run = options.run;
  describe_run(run, program);
  StoreRequest request = options.request;
  request.rootdir = find_project(run).rootdir;
  request.directory = fs::absolute(request.directory);
  if (request.environment_name.empty()) {
    request.environment_name = default_environment_name(run);
  }
  request.datafile = request.rootdir / run.settings.datafile_path();
  if (!request.branch) {
    request.branch = branch_of(request.rootdir, program.environment);
  }
  request.most_bytes = std::uintmax_t{options.most_megabytes} << 20U;
  request.environment = program.environment;
  request.settings = run.settings;
  request.warn = [&program](const std::string& text) { program.terminal.warning(text); };
  return request;
}

void push(const Options& options, const Program& program) {
  const auto pull_request = pull_request_variable(program.environment);
  if (pull_request && !options.from_pull_request) {
    program.terminal.out() << fmt::format("nothing is pushed from a pull request ({})\n",
                                          *pull_request);
    return;
  }
  const Pushed pushed = push_to_store(make_request(options, program));
  program.terminal.out() << fmt::format(
      "pushed {}{}\n", pushed.file.string(),
      pushed.removed == 0 ? "" : fmt::format("; {} older ones removed", pushed.removed));
}

void pull(const Options& options, const Program& program) {
  const StoreRequest request = make_request(options, program);
  refuse_while_a_run_is_at_work(request.rootdir, request.settings);
  const auto pulled = pull_from_store(request);
  if (!pulled) {
    program.terminal.out() << fmt::format("nothing is stored for {} and an ancestor of HEAD\n",
                                          request.environment_name);
    return;
  }
  program.terminal.out() << fmt::format(
      "pulled {} of {}{}\n", pulled->files == 1 ? "the data file" : "the data files",
      pulled->commit,
      pulled->distance ? fmt::format(", {} before HEAD", util::counted(*pulled->distance, "commit"))
                       : fmt::format(", the last one of branch {}", request.branch.value_or("")));
}

using Action = void (*)(const Options&, const Program&);

CLI::App& add_action(CLI::App& parent, const char* name, const char* text, Action action,
                     const std::shared_ptr<Options>& options, Program& program) {
  CLI::App* command = parent.add_subcommand(name, text);
  add_project_options(*command, options->run);
  command->add_option("DIR", options->request.directory, "The store")->required();
  command
      ->add_option("--environment", options->request.environment_name,
                   "The folder of the store (default: the environment's name and Python's version, "
                   "such as default-3.12; then the interpreter is asked)")
      ->type_name("NAME");
  add_text_option(*command, "--branch", options->request.branch, "NAME",
                  "The branch (default: what the CI service tells, else the one of HEAD)");
  set_action(*command, program, [options, &program, action] { action(*options, program); });
  return *command;
}

} // namespace

void add_store_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("store", description)->footer(footer);
  command->require_subcommand(1);
  CLI::App& pushing =
      add_action(*command, "push", "Store the project's data file for the commit of HEAD", push,
                 options, program);
  pushing
      .add_option("--most-files", options->request.most_files,
                  "How many files to keep of an environment; the least recently used ones go")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->type_name("N");
  pushing.add_option("--most-megabytes", options->most_megabytes, "How large they may be together")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 30U))
      ->type_name("N");
  pushing.add_flag("--from-pull-request", options->from_pull_request,
                   "Push in a job of a pull request as well");
  add_action(*command, "pull",
             "Make the project's data file from that of the nearest first-parent ancestor of HEAD, "
             "else from the last one of the branch; what it holds already is kept",
             pull, options, program);
}

} // namespace testmon_precreate::cli
