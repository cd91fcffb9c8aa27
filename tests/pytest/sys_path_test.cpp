#include "temporary_directory.hpp"

#include <testmon_precreate/pytest/sys_path.hpp>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
namespace pytest = testmon_precreate::pytest;
using testmon_precreate::tests::TemporaryDirectory;
using Words = std::vector<std::string>;

// sys.path of a run whose interpreter starts with `script` alone, relative to the directory.
Words extended(const TemporaryDirectory& directory, Words arguments = {},
               pytest::PytestVersion version = pytest::newest_pytest) {
  const auto project = pytest::find_project({.invocation_directory = directory.path(),
                                             .arguments = std::move(arguments),
                                             .version = version});
  Words result;
  for (const std::string& entry : pytest::extend_sys_path(project, {"script"})) {
    result.push_back(
        entry == "script" ? entry : fs::path(entry).lexically_relative(directory.path()).string());
  }
  return result;
}

TEST_SUITE("pytest/sys_path") {
  TEST_CASE("pythonpath stands before what was there, relative to the configuration") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\npythonpath = ./src/ ../up .\n");
    CHECK(extended(directory) == Words{"src", "../up", ".", "script"});
  }

  TEST_CASE("initial conftest files put their package's root in front") {
    const TemporaryDirectory directory;
    directory.write("conftest.py");
    directory.write("tests/conftest.py");
    directory.write("tests/deep/conftest.py");
    directory.write("pkg/__init__.py");
    directory.write("pkg/sub/__init__.py");
    directory.write("pkg/sub/conftest.py");
    CHECK(extended(directory) == Words{"tests", ".", "script"});
    CHECK(extended(directory, {"tests/deep"}) == Words{"tests/deep", "tests", ".", "script"});
    CHECK(extended(directory, {"pkg/sub"}) == Words{".", "script"});
    CHECK(extended(directory, {"tests/deep/x.py::t", "--import-mode=append"}) ==
          Words{"script", ".", "tests"});
    CHECK(extended(directory, {"--import-mode", "importlib"}) == Words{"script"});
    CHECK(extended(directory, {"--noconftest"}) == Words{"script"});
    CHECK(extended(directory, {"--confcutdir=tests", "tests/deep"}) ==
          Words{"tests/deep", "tests", "script"});
  }

  TEST_CASE("before pytest 9 paths after an option do not count yet") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    directory.write("a/conftest.py");
    directory.write("b/conftest.py");
    CHECK(extended(directory, {"a", "-v", "b"}) == Words{"b", "a", "script"});
    CHECK(extended(directory, {"a", "-v", "b"}, {8, 4, 2}) == Words{"a", "script"});
  }

  TEST_CASE("before 7.4 testpaths count beside the arguments") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\ntestpaths = a\n");
    directory.write("a/conftest.py");
    directory.write("b/conftest.py");
    CHECK(extended(directory, {"b"}, {7, 2, 0}) == Words{"a", "b", "script"});
    CHECK(extended(directory, {"b"}, {7, 4, 0}) == Words{"b", "script"});
  }

  TEST_CASE("a namespace package's root is looked for if the project asks for it") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini",
                    "[pytest]\npythonpath = src\nconsider_namespace_packages = true\n");
    directory.write("src/space/pkg/__init__.py");
    directory.write("src/space/pkg/conftest.py");
    CHECK(extended(directory, {"src/space/pkg"}) == Words{"src", "script"});
    CHECK(extended(directory, {"src/space/pkg", "-o", "consider_namespace_packages=no"}) ==
          Words{"src/space", "src", "script"});
  }

  TEST_CASE("python -m pytest starts with the working directory") {
    const TemporaryDirectory directory;
    directory.write("conftest.py");
    auto project = pytest::find_project({.invocation_directory = directory.path()});
    CHECK(pytest::sys_path_additions(project) == std::vector<fs::path>{directory.path()});
    project.command_line.run_as_module = true;
    CHECK(pytest::sys_path_additions(project) == std::vector<fs::path>{directory.path()});
  }
}

} // namespace
