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
// norecursedirs, virtual environments, --ignore and path arguments decide, as in the project's
// version of pytest. Reads directories only, each once. What conftest files and plugins would leave
// out or add (collect_ignore, hooks) is not known without Python.
//
// A project without any pytest configuration in which no file is found so, and for which no path is
// given, is searched for test_*.py, *_test.py and tests.py below tests/, test/ and testing/.
//
// A directory that is reached again through a link within itself is not entered again. A path
// argument that does not exist is a warning.
[[nodiscard]] TestFiles scan_test_files(const Project& project);

} // namespace testmon_precreate::pytest
