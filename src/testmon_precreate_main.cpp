#include <testmon_precreate/cli/commands.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace {

namespace cli = testmon_precreate::cli;

constexpr const char* name = "testmon-precreate";

constexpr const char* description =
    "Makes pytest-testmon and pytest-xdist work together: prepares testmon's data file before the "
    "workers of `pytest --testmon -n` open it read-only.\n"
    "Without a subcommand it means `prepare`.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate run -- pytest --testmon -n 4\n"
                               "  testmon-precreate prepare -n 4 && pytest --testmon -n 4; "
                               "testmon-precreate cleanup";

// `testmon-precreate --json` means `testmon-precreate prepare --json`.
void insert_default_subcommand(std::vector<std::string>& arguments) {
  const std::string first = arguments.empty() ? "" : arguments.front();
  const bool for_the_program = first == "-h" || first == "--help" || first == "--version";
  if (!for_the_program && (first.empty() || first.front() == '-')) {
    arguments.insert(arguments.begin(), "prepare");
  }
}

} // namespace

int main(int argc, char** argv) {
  const auto environment = testmon_precreate::util::ProcessEnvironment::current();
  cli::Program program =
      cli::make_program(std::vector<std::string>(argv + 1, argv + argc), environment,
                        cli::Terminal::of_process(name, environment));
  insert_default_subcommand(program.arguments);
  try {
    CLI::App app(description, name);
    app.set_version_flag("--version", cli::version_text(name), "Print the version and exit");
    app.footer(footer);
    app.require_subcommand(1);
    cli::add_prepare_command(app, program);
    cli::add_run_command(app, program);
    cli::add_plugin_path_command(app, program);
    cli::add_wait_command(app, program);
    cli::add_status_command(app, program);
    cli::add_cleanup_command(app, program);
    cli::add_environments_command(app, program);
    return cli::run_program(program, app);
  } catch (const std::exception& error) {
    return cli::report_error(program, error);
  }
}
