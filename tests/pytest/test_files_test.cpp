#include "temporary_directory.hpp"

#include <testmon_precreate/pytest/test_files.hpp>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
namespace pytest = testmon_precreate::pytest;
using testmon_precreate::tests::TemporaryDirectory;
using Paths = std::vector<std::string>;

Paths scan(const TemporaryDirectory& directory, std::vector<std::string> arguments = {},
           pytest::PytestVersion version = pytest::newest_pytest) {
  const pytest::Project project =
      pytest::find_project({directory.path(), std::move(arguments), {}, version});
  return pytest::scan_test_files(project).paths;
}

TEST_SUITE("pytest/test_files") {
  TEST_CASE("pytest's own names are found, sorted, relative to the rootdir") {
    const TemporaryDirectory directory;
    for (const char* file : {"b/test_2.py", "a/one_test.py", "test_0.py", "conftest.py",
                             "a/test.py", "tests/helper.py", "test_data.txt"}) {
      directory.write(file);
    }
    CHECK(scan(directory) == Paths{"a/one_test.py", "b/test_2.py", "test_0.py"});
  }
}

} // namespace
