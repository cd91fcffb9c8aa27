#include "temporary_directory.hpp"

#include <testmon_precreate/pytest/glob.hpp>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
namespace pytest = testmon_precreate::pytest;
using testmon_precreate::tests::TemporaryDirectory;
using Paths = std::vector<std::string>;

TEST_SUITE("pytest/glob") {
  TEST_CASE("patterns, plain names and what is not there") {
    const TemporaryDirectory directory;
    for (const char* file :
         {"src/a/tests/t.py", "src/b/tests/t.py", "src/.c/tests/t.py", "tests/t.py"}) {
      directory.write(file);
    }
    const auto glob = [&](const char* pattern) { return pytest::glob(pattern, directory.path()); };
    CHECK(glob("src/*/tests") == Paths{"src/a/tests", "src/b/tests"});
    CHECK(glob("src/.*/tests") == Paths{"src/.c/tests"});
    CHECK(glob("tests") == Paths{"tests"});
    CHECK(glob("tests/") == Paths{"tests/"});
    CHECK(glob("./tests") == Paths{"./tests"});
    CHECK(glob("**/t.py") == Paths{"src/a/tests/t.py", "src/b/tests/t.py", "tests/t.py"});
    CHECK(glob("**") == Paths{"src", "src/a", "src/a/tests", "src/a/tests/t.py", "src/b",
                              "src/b/tests", "src/b/tests/t.py", "tests", "tests/t.py"});
    CHECK(glob("*/") == Paths{"src/", "tests/"});
    CHECK(glob("missing").empty());
    CHECK(glob("missing/*").empty());
    CHECK(glob("").empty());
    CHECK(glob((directory.path() / "t*").c_str()) == Paths{(directory.path() / "tests").string()});
  }

  TEST_CASE("a link into its own parent ends") {
    const TemporaryDirectory directory;
    directory.write("a/b/file");
    fs::create_directory_symlink(directory.path() / "a", directory.path() / "a" / "b" / "loop");
    CHECK(pytest::glob("**/file", directory.path()) == Paths{"a/b/file"});
  }
}

} // namespace
