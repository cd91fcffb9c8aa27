#pragma once

#include <testmon_precreate/core/settings.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace testmon_precreate::cli {

// The options that tell which run a command is about.
struct CoordinationOptions {
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::filesystem::path> datafile;
  std::optional<std::string> run_uid;

  // Lets the options beat the variables.
  void apply_to(core::Settings& settings) const;
};

// Adds --rootdir, --datafile and --run-uid to `command`; `options` must outlive the parsing.
void add_coordination_options(CLI::App& command, CoordinationOptions& options,
                              const std::string& run_uid_help);

} // namespace testmon_precreate::cli
