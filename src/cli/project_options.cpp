#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <CLI/CLI.hpp>

namespace testmon_precreate::cli {

namespace {

template <typename Target>
std::optional<Target> if_given(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<Target>(text);
}

} // namespace

void add_project_options(CLI::App& command, ProjectOptions& options) {
  command
      .add_option("--rootdir", options.rootdir,
                  "pytest's rootdir (default: found by pytest's rules)")
      ->type_name("DIR");
  command.add_option("--config-file", options.config_file, "pytest's configuration file")
      ->type_name("FILE");
  command
      .add_option("--datafile", options.datafile,
                  "testmon's data file, relative to the rootdir (default: $TESTMON_DATAFILE, else "
                  ".testmondata)")
      ->type_name("FILE");
  command
      .add_option(
          "--python", options.python,
          "The interpreter that runs pytest (default: $VIRTUAL_ENV/bin/python, else python3 or "
          "python on PATH)")
      ->type_name("EXE");
  command
      .add_option("--testmon-env", options.testmon_environment, "As pytest's option of that name")
      ->type_name("NAME");
}

void describe_run(RunRequest& request, const ProjectOptions& options, const Program& program) {
  request.settings = program.settings;
  if (!options.datafile.empty()) {
    request.settings.datafile = options.datafile;
  }
  request.environment = program.environment;
  request.invocation_directory = std::filesystem::current_path();
  request.pytest_arguments = program.after_dashes.value_or(std::vector<std::string>{});
  request.rootdir = if_given<std::filesystem::path>(options.rootdir);
  request.config_file = if_given<std::filesystem::path>(options.config_file);
  request.interpreter = if_given<std::filesystem::path>(options.python);
  request.testmon_environment = if_given<std::string>(options.testmon_environment);
  if (auto command = find_leading_command(request.pytest_arguments)) {
    request.run_as_module = command->is_module;
    request.pytest_arguments = std::move(command->arguments);
    if (!request.interpreter && command->interpreter) {
      request.interpreter = *command->interpreter;
    }
  }
}

void refuse_while_a_run_is_at_work(const std::filesystem::path& rootdir,
                                   const core::Settings& settings) {
  const coordination::CoordinationDirectory directory(
      coordination::coordination_directory_of(rootdir, settings));
  const std::string run = coordination::living_run(
      directory, {.run_uid = settings.run_uid, .controller_pid = std::nullopt});
  if (!run.empty()) {
    throw core::CoordinationBusy({.what = run,
                                  .where = directory.path().string(),
                                  .hint = "Try again when it has ended, or give --force"});
  }
}

} // namespace testmon_precreate::cli
