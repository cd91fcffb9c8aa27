#include <testmon_precreate/cli/program.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
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
                  .arguments = std::move(arguments),
                  .after_dashes = std::nullopt,
                  .settings = {},
                  .log = {}};
  const auto dashes = std::find(program.arguments.begin(), program.arguments.end(), "--");
  if (dashes != program.arguments.end()) {
    program.after_dashes.emplace(std::next(dashes), program.arguments.end());
    program.arguments.erase(dashes, program.arguments.end());
  }
  return program;
}

int run_program(Program& program, CLI::App& app) {
  try {
    // CLI11 takes its arguments from the back.
    std::vector<std::string> reversed(program.arguments.rbegin(), program.arguments.rend());
    app.parse_complete_callback([&program] {
      program.settings = core::read_settings(program.environment);
      if (program.settings.debug) {
        program.log = core::DebugLog(std::cerr, program.terminal.program());
      }
    });
    app.parse(std::move(reversed));
    return program.exit_code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(error, program.terminal.out());
    }
    return report_error(
        program, core::UsageError({.what = error.what(),
                                   .where = "command line",
                                   .hint = "Run " + program.terminal.program() + " --help"}));
  } catch (const std::exception& error) {
    return report_error(program, error);
  }
}

int report_error(const Program& program, const std::exception& error) {
  if (const auto* file_error = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return report_error(program, core::CoordinationFileError(*file_error));
  }
  if (const auto* interrupted = dynamic_cast<const util::Interrupted*>(&error)) {
    constexpr int signal_base = 128;
    return signal_base + interrupted->signal_number();
  }
  program.terminal.error(error.what());
  const auto* coordination_error = dynamic_cast<const core::CoordinationError*>(&error);
  return static_cast<int>(coordination_error != nullptr ? coordination_error->exit_code()
                                                        : core::ExitCode::failure);
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
