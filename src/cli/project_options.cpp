#include "testmon_precreate/cli/project_options.hpp"
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/core/errors.hpp>

namespace testmon_precreate::cli {

void add_rootdir_option(CLI::App& command, ProjectOptions& options) {
  add_text_option(command, "--rootdir", options.rootdir, "DIR",
                  "pytest's rootdir (default: found by pytest's rules)");
}

void add_datafile_option(CLI::App& command, ProjectOptions& options) {
  add_text_option(command, "--datafile", options.datafile, "FILE",
                  "testmon's data file, relative to the rootdir (default: $TESTMON_DATAFILE, else "
                  ".testmondata)");
}

void add_project_options(CLI::App& command, ProjectOptions& options) {
  add_rootdir_option(command, options);
  add_text_option(command, "--config-file", options.config_file, "FILE",
                  "pytest's configuration file");
  add_datafile_option(command, options);
  add_text_option(
      command, "--python", options.python, "EXE",
      "The interpreter that runs pytest (default: $VIRTUAL_ENV/bin/python, else python3 or "
      "python on PATH)");
  add_text_option(command, "--testmon-env", options.testmon_environment, "NAME",
                  "As pytest's option of that name");
}

void describe_run(RunRequest& request, const ProjectOptions& options, const Program& program) {
  request.settings = program.settings;
  if (options.datafile) {
    request.settings.datafile = options.datafile;
  }
  request.environment = program.environment;
  request.invocation_directory = std::filesystem::current_path();
  request.pytest_arguments = program.after_dashes.value_or(std::vector<std::string>{});
  request.rootdir = options.rootdir;
  request.config_file = options.config_file;
  request.interpreter = options.python;
  request.testmon_environment = options.testmon_environment;
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
