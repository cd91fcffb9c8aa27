#include "testmon_precreate/cli/program.hpp"
#include <testmon_precreate/core/metrics.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/util/exit_codes.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace testmon_precreate::cli {

Program make_program(std::vector<std::string> arguments, util::ProcessEnvironment environment,
                     Terminal terminal) {
  Program program{.terminal = std::move(terminal),
                  .environment = std::move(environment),
                  .arguments = std::move(arguments)};
  const auto dashes = std::find(program.arguments.begin(), program.arguments.end(), "--");
  if (dashes != program.arguments.end()) {
    program.after_dashes.emplace(std::next(dashes), program.arguments.end());
    program.arguments.erase(dashes, program.arguments.end());
  }
  return program;
}

namespace {

// `testmon-precreate prepare` counts as `prepare`, `testmon-await` as `await`.
std::string command_name(const Program& program, const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  const std::string& name = program.terminal.program();
  return subcommands.empty() ? name.substr(name.find('-') + 1) : subcommands.front()->get_name();
}

std::string outcome_of(const Program& program, const std::exception* error) {
  if (error == nullptr) {
    return program.settings.enabled ? "ok" : "off";
  }
  return dynamic_cast<const util::Interrupted*>(error) != nullptr ? "interrupted" : "error";
}

std::string error_class_of(const std::exception* error) {
  if (error == nullptr || dynamic_cast<const util::Interrupted*>(error) != nullptr) {
    return {};
  }
  if (const auto* coordination_error = dynamic_cast<const core::CoordinationError*>(error)) {
    return coordination_error->class_name();
  }
  const bool file_error = dynamic_cast<const std::filesystem::filesystem_error*>(error) != nullptr;
  return file_error ? "CoordinationFileError" : "CoordinationError";
}

int report_and_record(Program& program, const std::exception& error) {
  const int exit_code = report_error(program, error);
  append_metrics(program, exit_code, &error);
  return exit_code;
}

} // namespace

int run_main(const MainText& text, std::vector<std::string> arguments,
             const std::function<void(CLI::App&, Program&)>& add_commands) {
  const auto environment = util::ProcessEnvironment::current();
  Program program =
      make_program(std::move(arguments), environment, Terminal::of_process(text.name, environment));
  try {
    CLI::App app(text.description, text.name);
    app.set_version_flag("--version", version_text(text.name), "Print the version and exit");
    app.footer(text.footer);
    add_commands(app, program);
    return run_program(program, app);
  } catch (const std::exception& error) {
    return report_error(program, error);
  }
}

int run_program(Program& program, CLI::App& app) {
  try {
    // CLI11 takes its arguments from the back.
    std::vector<std::string> reversed(program.arguments.rbegin(), program.arguments.rend());
    app.parse_complete_callback([&program, &app] {
      program.command = command_name(program, app);
      program.settings = core::read_settings(program.environment);
      if (program.settings.debug) {
        program.log = core::DebugLog(std::cerr, program.terminal.program());
      }
    });
    app.parse(std::move(reversed));
    check_output(program);
    append_metrics(program, program.exit_code, nullptr);
    return program.exit_code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      const int exit_code = app.exit(error, program.terminal.out());
      check_output(program);
      return exit_code;
    }
    const bool unknown_subcommand = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
                                    !program.arguments.empty() && app.get_subcommands().empty();
    return report_and_record(
        program,
        core::UsageError({.what = unknown_subcommand ? fmt::format("there is no subcommand `{}`",
                                                                   program.arguments.front())
                                                     : error.what(),
                          .where = "command line",
                          .hint = "Run " + program.terminal.program() + " --help"}));
  } catch (const std::exception& error) {
    return report_and_record(program, error);
  }
}

int report_error(const Program& program, const std::exception& error) {
  if (const auto* file_error = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return report_error(program, core::CoordinationFileError(*file_error));
  }
  if (const auto* interrupted = dynamic_cast<const util::Interrupted*>(&error)) {
    return util::exit_code_of_signal(interrupted->signal_number());
  }
  program.terminal.error(error.what());
  const auto* coordination_error = dynamic_cast<const core::CoordinationError*>(&error);
  return static_cast<int>(coordination_error != nullptr ? coordination_error->exit_code()
                                                        : core::ExitCode::failure);
}

void append_metrics(Program& program, int exit_code, const std::exception* error) {
  const std::string file = program.environment.get("TESTMON_XDIST_METRICS").value_or("");
  if (file.empty() || std::exchange(program.has_appended_metrics, true)) {
    return;
  }
  const core::MetricsRecord record{.timestamp = util::wall_clock_now().count(),
                                   .command = program.command,
                                   .outcome = outcome_of(program, error),
                                   .exit_code = exit_code,
                                   .error_class = error_class_of(error),
                                   .run_uid = program.settings.run_uid,
                                   .waits = program.waits,
                                   .total_milliseconds = program.stopwatch.total(),
                                   .phases = program.stopwatch.laps()};
  try {
    util::append_line(file, core::to_json_line(record));
  } catch (const std::filesystem::filesystem_error& append_error) {
    program.terminal.warning(std::string("no metrics: ") +
                             core::CoordinationFileError(append_error).what());
  }
}

void check_output(const Program& program) {
  if (!program.terminal.out().flush()) {
    throw core::CoordinationError({.what = "could not write the result",
                                   .where = "standard output",
                                   .hint = "Is the disk full?"});
  }
}

bool switched_off(const Program& program) {
  if (!program.settings.enabled) {
    program.terminal.note("switched off by TESTMON_XDIST_CONTROLLER_PRECREATION; nothing was done");
  }
  return !program.settings.enabled;
}

std::string version_text(const std::string& name) {
  return fmt::format("{} {} (data versions {} to {})", name, TESTMON_PRECREATE_VERSION,
                     datafile::oldest_data_version, datafile::newest_data_version);
}

} // namespace testmon_precreate::cli
