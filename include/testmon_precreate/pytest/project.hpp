#pragma once

#include <testmon_precreate/pytest/command_line.hpp>
#include <testmon_precreate/pytest/configuration.hpp>
#include <testmon_precreate/pytest/version.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::pytest {

// A project as one pytest run sees it.
struct Project {
  std::filesystem::path rootdir;              // absolute
  std::filesystem::path invocation_directory; // absolute
  std::optional<std::filesystem::path> config_file;
  bool is_configured = false;            // some file has a pytest section or is one by its name
  IniValues ini;                         // of the pytest section, -o overrides applied
  CommandLine command_line;              // with PYTEST_ADDOPTS and addopts put before it
  PytestVersion version = newest_pytest; // by whose rules it was found and is scanned

  // The option as pytest's type `string`; empty if it is not set.
  [[nodiscard]] std::string ini_string(const std::string& name) const;

  // The option as pytest's type `args`: split as a shell would; `fallback` if it is not set.
  // Throws UsageError for a value that cannot be split.
  [[nodiscard]] std::vector<std::string>
  ini_args(const std::string& name, const std::vector<std::string>& fallback = {}) const;

  // The option as pytest's type `bool`; false if it is not set or is no truth value.
  [[nodiscard]] bool ini_bool(const std::string& name) const;
};

// What a pytest run is started with.
struct ProjectQuery {
  std::filesystem::path invocation_directory;         // the run's working directory, absolute
  std::vector<std::string> arguments{};               // those after the word `pytest`
  std::optional<std::filesystem::path> rootdir{};     // instead of pytest's --rootdir
  std::optional<std::filesystem::path> config_file{}; // instead of pytest's -c
  util::ProcessEnvironment environment{}; // for PYTEST_ADDOPTS and variables in --rootdir
  PytestVersion version = newest_pytest;
};

// Finds rootdir and configuration by the rules of _pytest/config/findpaths.py. Throws UsageError
// for a rootdir or configuration file that does not exist, for a configuration that cannot be
// parsed (with file and line), and for words that pytest refuses: an unclosed quote in
// PYTEST_ADDOPTS, an argument file that cannot be read, an option without its value.
[[nodiscard]] Project find_project(const ProjectQuery& query);

// The paths that the run starts from, as given or found by `testpaths`: pytest's Config.args.
// `given` are the paths of the command line; relative ones start at the invocation directory.
[[nodiscard]] std::vector<std::string> starting_points(const Project& project,
                                                       std::span<const std::string> given);

} // namespace testmon_precreate::pytest
