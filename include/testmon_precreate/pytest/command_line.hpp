#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace testmon_precreate::pytest {

// What this program needs to know of a pytest command line. Options that it does not know are
// passed over, with their values where they take one.
struct CommandLine {
  std::vector<std::string> paths; // file_or_dir arguments, node ids included, as given
  std::optional<std::filesystem::path> rootdir;               // --rootdir
  std::optional<std::filesystem::path> config_file;           // -c, --config-file
  std::vector<std::pair<std::string, std::string>> overrides; // -o name=value, in order
  std::vector<std::string> ignore;                            // --ignore
  std::vector<std::string> ignore_globs;                      // --ignore-glob
  std::vector<std::string> deselect;                          // --deselect
  std::optional<std::string> testmon_environment;             // --testmon-env
  std::optional<std::string> workers;              // -n, --numprocesses: a number, auto, logical
  std::optional<std::string> import_mode;          // --import-mode
  std::optional<std::filesystem::path> confcutdir; // --confcutdir
  bool no_conftest = false;                        // --noconftest
  bool collect_in_virtualenv = false;              // --collect-in-virtualenv
  bool run_as_module = false; // `python -m pytest`: the working directory is on sys.path
};

// Reads `arguments`, which follow the word `pytest`; `PYTEST_ADDOPTS` and the ini option `addopts`
// are put before them by the caller.
[[nodiscard]] CommandLine parse_command_line(std::span<const std::string> arguments);

} // namespace testmon_precreate::pytest
