#pragma once

#include <testmon_precreate/core/settings.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace testmon_precreate::cli {

// The options that tell which run a command is about; an empty text stands for "not given".
struct CoordinationOptions {
  std::string rootdir;
  std::string datafile;
  std::string run_uid;

  [[nodiscard]] std::optional<std::filesystem::path> rootdir_path() const;

  // Lets the options beat the variables.
  void apply_to(core::Settings& settings) const;

  // The option's, else the variables'.
  [[nodiscard]] std::optional<std::string> run_uid_or(const core::Settings& settings) const;
};

// Adds --rootdir, --datafile and --run-uid to `command`; `options` must outlive the parsing.
void add_coordination_options(CLI::App& command, CoordinationOptions& options, const std::string& run_uid_help);

// An option whose value is shown as `type` in the help.
CLI::Option* add_text_option(CLI::App& command, const std::string& name, std::string& target,
                             const char* type, const std::string& help);

} // namespace testmon_precreate::cli
