#pragma once

#include <testmon_precreate/cli/terminal.hpp>
#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/settings.hpp>
#include <testmon_precreate/core/stopwatch.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace testmon_precreate::cli {

// What a command line gave, beside the options of its subcommand.
struct Program {
  Terminal terminal;
  util::ProcessEnvironment environment;
  std::vector<std::string> arguments;                     // up to `--`, without the program's name
  std::optional<std::vector<std::string>> after_dashes{}; // after `--`; nothing without one
  core::Settings settings{};                              // of the variables
  core::DebugLog log{};
  int exit_code = 0; // set by the subcommand that ran

  // For the line in the file of TESTMON_XDIST_METRICS.
  std::string command{};       // the subcommand's name, or `await`
  core::Stopwatch stopwatch{}; // a command ends its phases with it
  int waits = 0;               // looks at a state or at acknowledgments
  bool has_appended_metrics = false;
};

// Splits the arguments of main at the first `--` and notes the environment. Reads no variable yet.
[[nodiscard]] Program make_program(std::vector<std::string> arguments,
                                   util::ProcessEnvironment environment, Terminal terminal);

// What --help of a command shows around its options.
struct MainText {
  const char* name;
  const char* description;
  const char* footer;
};

// The whole of a main: `add_commands` gives the options, then run_program does the rest.
// Throws nothing; returns what main returns.
[[nodiscard]] int run_main(const MainText& text, std::vector<std::string> arguments,
                           const std::function<void(CLI::App&, Program&)>& add_commands);

// Lets `app` parse the arguments, reads the variables before the callback of a subcommand runs, and
// turns every error into a message and an exit code. Returns what main returns.
[[nodiscard]] int run_program(Program& program, CLI::App& app);

// The message and the exit code for an error that is already at hand.
[[nodiscard]] int report_error(const Program& program, const std::exception& error);

// Appends the command's line to the file of TESTMON_XDIST_METRICS, once, if that is set; an error
// there is a warning. run_program does it at the end; a command that replaces its process does it
// before. `error` may be null.
void append_metrics(Program& program, int exit_code, const std::exception* error);

// Throws core::CoordinationError if not all of the results could be written, such as on a full
// disk. run_program does it at the end.
void check_output(const Program& program);

// Whether TESTMON_XDIST_CONTROLLER_PRECREATION switches the commands off; says so then.
[[nodiscard]] bool switched_off(const Program& program);

// `NAME VERSION (data versions 12 to 14)`, the answer to --version.
[[nodiscard]] std::string version_text(const std::string& name);

} // namespace testmon_precreate::cli
