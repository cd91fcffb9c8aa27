#pragma once

#include <testmon_precreate/pytest/command_line.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::pytest {

// An ini value as pytest holds it: a text from INI files, a text or a list from TOML.
struct IniValue {
  std::string text;              // where it is a list: its items joined by '\n'
  std::vector<std::string> list; // from a TOML array
  bool is_list = false;
};

// A project as one pytest run sees it.
struct Project {
  std::filesystem::path rootdir;              // absolute
  std::filesystem::path invocation_directory; // absolute
  std::optional<std::filesystem::path> config_file;
  std::map<std::string, IniValue> ini; // of the pytest section, -o overrides applied
  CommandLine command_line;            // with PYTEST_ADDOPTS and addopts put before it

  // The option as pytest's type `string`; empty where it is not set.
  [[nodiscard]] std::string ini_string(const std::string& name) const;

  // The option as pytest's type `args`: split as a shell would; `fallback` where it is not set.
  [[nodiscard]] std::vector<std::string>
  ini_args(const std::string& name, const std::vector<std::string>& fallback = {}) const;
};

// Finds rootdir and configuration by the rules of _pytest/config/findpaths.py, as pytest would when
// it is started in `invocation_directory` with `arguments`; `pytest_addopts` is the variable's
// value. Throws UsageError for a rootdir or configuration file that does not exist, and for a
// configuration that cannot be parsed (with file and line).
[[nodiscard]] Project find_project(const std::filesystem::path& invocation_directory,
                                   std::span<const std::string> arguments,
                                   const std::string& pytest_addopts = {});

// The directories that pytest puts at the front of sys.path before its plugins are configured:
// the ini option `pythonpath`, the working directory under `python -m pytest`, the base directories
// of the initial conftest files. First entry first.
[[nodiscard]] std::vector<std::filesystem::path> sys_path_additions(const Project& project);

} // namespace testmon_precreate::pytest
