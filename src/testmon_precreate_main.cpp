#include <testmon_precreate/cli/commands.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace {

namespace cli = testmon_precreate::cli;

constexpr cli::MainText text{
    .name = "testmon-precreate",
    .description = "Makes pytest-testmon and pytest-xdist work together: prepares testmon's data "
                   "file before the workers of `pytest --testmon -n` open it read-only.\n"
                   "Without a subcommand it means `prepare`.",
    .footer = "Examples:\n"
              "  testmon-precreate run -- pytest --testmon -n 4\n"
              "  testmon-precreate prepare -n 4 && pytest --testmon -n 4; testmon-precreate "
              "cleanup"};

// `testmon-precreate --json` means `testmon-precreate prepare --json`.
std::vector<std::string> with_subcommand(std::vector<std::string> arguments) {
  const std::string first = arguments.empty() ? "" : arguments.front();
  const bool for_the_program = first == "-h" || first == "--help" || first == "--version";
  if (!for_the_program && (first.empty() || first.front() == '-')) {
    arguments.insert(arguments.begin(), "prepare");
  }
  return arguments;
}

void add_commands(CLI::App& app, cli::Program& program) {
  app.require_subcommand(1);
  cli::add_prepare_command(app, program);
  cli::add_run_command(app, program);
  cli::add_plugin_path_command(app, program);
  cli::add_wait_command(app, program);
  cli::add_status_command(app, program);
  cli::add_cleanup_command(app, program);
  cli::add_affected_command(app, program);
  cli::add_explain_command(app, program);
  cli::add_doctor_command(app, program);
  cli::add_environments_command(app, program);
  cli::add_merge_command(app, program);
  cli::add_store_command(app, program);
}

} // namespace

int main(int argc, char** argv) {
  return cli::run_main(text, with_subcommand({argv + std::min(argc, 1), argv + argc}),
                       add_commands);
}
