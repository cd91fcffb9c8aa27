#pragma once

#include <testmon_precreate/pytest/project.hpp>

#include <string>
#include <vector>

namespace testmon_precreate::pytest {

struct TestFiles {
  std::vector<std::string> paths;    // relative to the rootdir, sorted by byte, each once
  std::vector<std::string> warnings; // directories that could not be read
};

// The files that pytest would collect tests from in this project: python_files, testpaths,
// norecursedirs, virtual environments, --ignore and path arguments decide. Reads directories only,
// each once.
[[nodiscard]] TestFiles scan_test_files(const Project& project);

} // namespace testmon_precreate::pytest
