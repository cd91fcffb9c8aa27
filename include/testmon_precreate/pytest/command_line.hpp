#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace testmon_precreate::pytest {

// What this program needs to know of a pytest command line.
struct CommandLine {
  std::vector<std::string> paths; // file_or_dir arguments, node ids included, as given
  std::size_t leading_paths = 0;  // how many of `paths` stand before the first option between them
  std::optional<std::filesystem::path> rootdir;               // --rootdir
  std::optional<std::filesystem::path> config_file;           // -c, --config-file
  std::vector<std::pair<std::string, std::string>> overrides; // -o name=value, in order
  std::vector<std::string> ignore;                            // --ignore
  std::vector<std::string> ignore_globs;                      // --ignore-glob
  std::optional<std::string> testmon_environment;             // --testmon-env
  std::optional<std::string> workers;              // -n, --numprocesses: a number, auto, logical
  std::optional<std::string> distribution;         // --dist
  std::optional<std::string> import_mode;          // --import-mode
  std::optional<std::filesystem::path> confcutdir; // --confcutdir
  std::string keywords;                            // -k: the last one
  std::string markers;                             // -m: the last one
  std::vector<std::string> plugins;                // -p, as given: `no:NAME` is one that is off
  std::vector<std::string> flags;                  // all options without a value, unknown ones too
  bool run_as_module = false; // `python -m pytest`: the working directory is on sys.path

  [[nodiscard]] bool has_flag(std::string_view flag) const;
  [[nodiscard]] bool has_plugin(std::string_view value) const;
};

// Which options are known to take a value.
enum class KnownOptions {
  core,        // pytest's own: what pytest knows when it looks for the rootdir
  with_plugins // those of plugins that matter here too
};

// Whether a word of the command line, a path or a node id, names something that exists.
using IsPath = std::function<bool(const std::string&)>;

// Reads `arguments`, which follow the word `pytest`, as pytest's argparse does; `PYTEST_ADDOPTS`
// and the ini option `addopts` are put before them by the caller. The words after an option that is
// not known count as its values up to the first one that `is_path`; without it as paths, as pytest
// itself takes them before its plugins are loaded. Throws UsageError for an option without its
// value and for an override without `=`.
[[nodiscard]] CommandLine parse_command_line(std::span<const std::string> arguments,
                                             KnownOptions known = KnownOptions::with_plugins,
                                             const IsPath& is_path = {});

} // namespace testmon_precreate::pytest
