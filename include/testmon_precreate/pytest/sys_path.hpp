#pragma once

#include <testmon_precreate/pytest/project.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace testmon_precreate::pytest {

// pytest's confcutdir: no conftest file above it is read.
[[nodiscard]] std::filesystem::path conftest_boundary(const Project& project);

// The directories that pytest puts at the front of sys.path before its plugins are configured:
// the ini option `pythonpath`, the working directory under `python -m pytest`, the base directories
// of the initial conftest files. First entry first; what --import-mode=append puts at the end comes
// last.
[[nodiscard]] std::vector<std::filesystem::path> sys_path_additions(const Project& project);

// sys.path when pytest's plugins are configured, for an interpreter that starts with `sys_path`:
// the script's directory, or, under `python -m pytest`, the working directory is its first entry.
[[nodiscard]] std::vector<std::string> extend_sys_path(const Project& project,
                                                       std::vector<std::string> sys_path);

} // namespace testmon_precreate::pytest
