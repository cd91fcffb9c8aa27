#include "testmon_precreate/cli/project_options.hpp"
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/core/errors.hpp>

namespace testmon_precreate::cli {

void add_rootdir_option(CLI::App& command, RunRequest& request) {
  add_text_option(command, "--rootdir", request.rootdir, "DIR",
                  "pytest's rootdir (default: found by pytest's rules)");
}

void add_datafile_option(CLI::App& command, RunRequest& request) {
  add_text_option(command, "--datafile", request.settings.datafile, "FILE",
                  "testmon's data file, relative to the rootdir (default: $TESTMON_DATAFILE, else "
                  ".testmondata)");
}

void add_project_options(CLI::App& command, RunRequest& request) {
  add_rootdir_option(command, request);
  add_text_option(command, "--config-file", request.config_file, "FILE",
                  "pytest's configuration file");
  add_datafile_option(command, request);
  add_text_option(
      command, "--python", request.interpreter, "EXE",
      "The interpreter that runs pytest (default: $VIRTUAL_ENV/bin/python, else python3 or "
      "python on PATH)");
  add_text_option(command, "--testmon-env", request.testmon_environment, "NAME",
                  "As pytest's option of that name");
}

void describe_run(RunRequest& request, const Program& program) {
  const auto datafile = request.settings.datafile; // the option beats the variable
  request.settings = program.settings;
  if (datafile) {
    request.settings.datafile = datafile;
  }
  request.environment = program.environment;
  request.invocation_directory = std::filesystem::current_path();
  request.pytest_arguments = program.after_dashes.value_or(std::vector<std::string>{});
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
