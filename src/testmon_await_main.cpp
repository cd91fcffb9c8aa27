#include <testmon_precreate/cli/await.hpp>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace {

namespace cli = testmon_precreate::cli;

constexpr const char* name = "testmon-await";

constexpr const char* description =
    "Blocks until the controller's state is ready, acknowledges it for a worker, and exits with 0 "
    "or "
    "replaces itself by the command behind --.\n"
    "Other exit codes: 2 usage, 3 controller gone, 4 nothing usable in time, 5 invalid state, 6 "
    "file "
    "error, 126 and 127 command cannot be executed, 128+n signal n.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-await --timeout 60\n"
                               "  eval \"$(testmon-await --shell)\"\n"
                               "  testmon-await --get environment_id\n"
                               "  testmon-await --worker gw0 -- python worker.py";

} // namespace

int main(int argc, char** argv) {
  const auto environment = testmon_precreate::util::ProcessEnvironment::current();
  cli::Program program =
      cli::make_program(std::vector<std::string>(argv + 1, argv + argc), environment,
                        cli::Terminal::of_process(name, environment));
  try {
    CLI::App app(description, name);
    app.set_version_flag("--version", cli::version_text(name), "Print the version and exit");
    app.footer(footer);
    cli::add_await_options(app, program);
    return cli::run_program(program, app);
  } catch (const std::exception& error) {
    return cli::report_error(program, error);
  }
}
