#pragma once

#include <testmon_precreate/cli/prepare_options.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::cli {

// The options of `run`.
struct RunOptions {
  PrepareOptions prepare;
  std::optional<std::string> shard;
  std::vector<std::filesystem::path> datafile_from;
  std::optional<std::filesystem::path> summary;
  bool strict = false;
  bool audit = false;
  bool fixed_workers = false;

  // An unprepared testmon would replace a file of another data version, which --no-upgrade is to
  // prevent.
  [[nodiscard]] bool is_strict() const { return strict || !prepare.request.allow_upgrade; }
};

// The environment that COMMAND runs in: the variables that load the plugin and tell it the options.
// `audit_file` is empty without --audit. If the plugin is not found, a strict run throws
// core::CoordinationFileError; in another one it is a warning, and the environment stays as it is.
[[nodiscard]] util::ProcessEnvironment
environment_of_command(const RunOptions& options, const std::filesystem::path& audit_file,
                       const Program& program);

} // namespace testmon_precreate::cli
