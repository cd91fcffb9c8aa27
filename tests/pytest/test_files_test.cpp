#include "temporary_directory.hpp"

#include <testmon_precreate/pytest/test_files.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace {

namespace fs = std::filesystem;
namespace pytest = testmon_precreate::pytest;
using testmon_precreate::tests::TemporaryDirectory;
using Paths = std::vector<std::string>;

constexpr pytest::PytestVersion pytest_7{7, 4, 4};
constexpr pytest::PytestVersion pytest_8{8, 4, 2};

pytest::TestFiles scan_all(const fs::path& directory, Paths arguments = {},
                           pytest::PytestVersion version = pytest::newest_pytest) {
  return pytest::scan_test_files(pytest::find_project(
      {.invocation_directory = directory, .arguments = std::move(arguments), .version = version}));
}

Paths scan(const TemporaryDirectory& directory, Paths arguments = {},
           pytest::PytestVersion version = pytest::newest_pytest) {
  return scan_all(directory.path(), std::move(arguments), version).paths;
}

void write_all(const TemporaryDirectory& directory, std::initializer_list<const char*> files) {
  for (const char* file : files) {
    directory.write(file);
  }
}

TEST_SUITE("pytest/test_files") {
  TEST_CASE("pytest's own names are found, sorted, relative to the rootdir") {
    const TemporaryDirectory directory;
    write_all(directory, {"b/test_2.py", "a/one_test.py", "test_0.py", "conftest.py", "a/test.py",
                          "tests/helper.py", "test_data.txt", ".py"});
    CHECK(scan(directory) == Paths{"a/one_test.py", "b/test_2.py", "test_0.py"});
  }

  TEST_CASE("directories that pytest does not enter") {
    const TemporaryDirectory directory;
    write_all(directory,
              {"build/test_a.py", ".hidden/test_b.py", "x.egg/test_c.py", "venv/test_d.py",
               "__pycache__/test_e.py", "node_modules/test_f.py", "kept/test_g.py"});
    CHECK(scan(directory) == Paths{"kept/test_g.py"});
    CHECK(scan(directory, {"-o", "norecursedirs=kept"}) ==
          Paths{".hidden/test_b.py", "build/test_a.py", "node_modules/test_f.py", "venv/test_d.py",
                "x.egg/test_c.py"});
    CHECK(scan(directory, {"build"}) == Paths{"build/test_a.py"});
  }

  TEST_CASE("virtual environments are told by the marks of each version") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    write_all(directory, {"new/pyvenv.cfg", "new/test_a.py", "old/bin/activate", "old/test_b.py",
                          "conda/conda-meta/history", "conda/test_c.py", "bin/test_d.py"});
    CHECK(scan(directory) == Paths{"bin/test_d.py", "old/test_b.py"});
    CHECK(scan(directory, {}, {8, 3, 0}) ==
          Paths{"bin/test_d.py", "conda/test_c.py", "old/test_b.py"});
    CHECK(scan(directory, {}, pytest_7) ==
          Paths{"bin/test_d.py", "conda/test_c.py", "new/test_a.py"});
    CHECK(scan(directory, {"--collect-in-virtualenv"}).size() == 4);
    CHECK(scan(directory, {"new"}) == Paths{"new/test_a.py"});
  }

  TEST_CASE("python_files decides, by name or by path") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\npython_files = check_*.py\n    unit/t*.py\n");
    write_all(directory, {"check_a.py", "test_b.py", "unit/tc.py", "unit/check_d.txt"});
    CHECK(scan(directory) == Paths{"check_a.py", "unit/tc.py"});
  }

  TEST_CASE("testpaths count in the rootdir without arguments only") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\ntestpaths = lib/*/tests missing\n");
    write_all(directory, {"lib/a/tests/test_a.py", "lib/b/tests/test_b.py", "other/test_c.py"});
    CHECK(scan(directory) == Paths{"lib/a/tests/test_a.py", "lib/b/tests/test_b.py"});
    CHECK(scan(directory, {"other"}) == Paths{"other/test_c.py"});
    CHECK(scan_all(directory.path() / "other").paths == Paths{"other/test_c.py"});
    CHECK(scan(directory, {"-o", "testpaths=missing"}).size() == 3);
  }

  TEST_CASE("--ignore and --ignore-glob") {
    const TemporaryDirectory directory;
    write_all(directory, {"a/test_1.py", "a/test_2.py", "b/test_3.py"});
    CHECK(scan(directory, {"--ignore=a/test_1.py", "--ignore", "./b/"}) == Paths{"a/test_2.py"});
    CHECK(scan(directory, {"--ignore-glob=a/*_2.py"}) == Paths{"a/test_1.py", "b/test_3.py"});
    CHECK(scan(directory, {"--ignore=a/test_1.py", "a/test_1.py"}) == Paths{"a/test_1.py"});
  }

  TEST_CASE("path arguments: files of any name, node ids, what is outside or not there") {
    const TemporaryDirectory directory;
    directory.write("project/pytest.ini");
    write_all(directory,
              {"project/any.py", "project/test_a.py", "project/text.txt", "test_out.py"});
    const fs::path project = directory.path() / "project";
    CHECK(scan_all(project, {"any.py::Test::test_x[a::b]", "test_a.py::test", "text.txt"}).paths ==
          Paths{"any.py", "test_a.py"});
    CHECK(scan_all(project, {"--rootdir=.", "../test_out.py", "."}).paths ==
          Paths{"../test_out.py", "test_a.py"});
    const auto missing = scan_all(project, {"any.py", "nowhere"});
    CHECK(missing.paths == Paths{"any.py"});
    CHECK(missing.warnings.size() == 1);
  }

  TEST_CASE("arguments that hold one another") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    write_all(directory, {"test_a.py", "build/test_b.py", "build/sub/test_c.py"});
    CHECK(scan(directory, {".", "build/sub"}) == Paths{"test_a.py"});
    CHECK(scan(directory, {".", "build/sub", "--keep-duplicates"}).size() == 3);
    CHECK(scan(directory, {".", "build/sub"}, pytest_8) == Paths{"build/sub/test_c.py"});
    CHECK(scan(directory, {".", "build/sub"}, pytest_7) ==
          Paths{"build/sub/test_c.py", "test_a.py"});
    CHECK(scan(directory, {"build/sub", "test_a.py", "build"}, pytest_8) ==
          Paths{"build/sub/test_c.py", "build/test_b.py", "test_a.py"});
    CHECK(scan(directory, {"build/sub", "test_a.py::test", "build"}, pytest_8) ==
          Paths{"build/sub/test_c.py", "test_a.py"});
  }

  TEST_CASE("an __init__.py is a test file by its name alone before pytest 8") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    directory.write("pkg/__init__.py");
    CHECK(scan(directory, {"pkg/__init__.py"}) == Paths{"pkg/__init__.py"});
    CHECK(scan(directory, {"pkg/__init__.py"}, pytest_7).empty());
    CHECK(scan(directory, {"pkg/__init__.py", "-o", "python_files=*.py"}, pytest_7).size() == 1);
  }

  TEST_CASE("--doctest-modules collects every module but setup.py and __main__.py") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    write_all(directory, {"a.py", "setup.py", "__main__.py", "test_b.py"});
    CHECK(scan(directory, {"--doctest-modules"}) == Paths{"a.py", "test_b.py"});
  }

  TEST_CASE("links are followed, loops and broken links end") {
    const TemporaryDirectory directory;
    const TemporaryDirectory outside;
    outside.write("test_far.py");
    write_all(directory, {"a/test_1.py", "a/b/test_2.py"});
    fs::create_directory_symlink(outside.path(), directory.path() / "far");
    fs::create_directory_symlink(directory.path() / "a", directory.path() / "a" / "b" / "loop");
    fs::create_directory_symlink(directory.path(), outside.path() / "back");
    fs::create_symlink("a/test_1.py", directory.path() / "test_link.py");
    fs::create_symlink("nowhere", directory.path() / "test_broken.py");
    fs::create_symlink("itself", directory.path() / "itself");
    CHECK(scan(directory) ==
          Paths{"a/b/test_2.py", "a/test_1.py", "far/test_far.py", "test_link.py"});
  }

  TEST_CASE("names that are not UTF-8 are kept byte by byte") {
    const TemporaryDirectory directory;
    write_all(directory, {"test_\xff.py", "d\xfe/test_\u00e9.py"});
    CHECK(scan(directory) == Paths{"d\xfe/test_\u00e9.py", "test_\xff.py"});
  }

  TEST_CASE("a directory that cannot be read is a warning") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini");
    directory.write("test_a.py");
    // Too long for the system to open, even for root.
    const std::string step(250, 'd');
    const fs::path previous = fs::current_path();
    fs::current_path(directory.path());
    for (int i = 0; i < 17; ++i) {
      fs::create_directory(step);
      fs::current_path(step);
    }
    fs::current_path(previous);
    const auto files = scan_all(directory.path());
    CHECK(files.paths == Paths{"test_a.py"});
    REQUIRE(files.warnings.size() == 1);
    CHECK(files.warnings[0].find("could not read the directory") == 0);
  }

  TEST_CASE("the fixed list is for projects of which pytest knows nothing") {
    const TemporaryDirectory directory;
    write_all(directory, {"tests/tests.py", "test/sub/tests.py", "testing/x.py", "app/tests.py"});
    CHECK(scan(directory) == Paths{"test/sub/tests.py", "tests/tests.py"});
    CHECK(scan(directory, {"tests"}).empty());
    directory.write("app/test_1.py");
    CHECK(scan(directory) == Paths{"app/test_1.py"});
    fs::remove(directory.path() / "app" / "test_1.py");
    directory.write("pytest.ini");
    CHECK(scan(directory).empty());
  }

  TEST_CASE("large trees are found whole") {
    const TemporaryDirectory directory;
    for (int i = 0; i < 300; ++i) {
      directory.write(fmt::format("d{}/e{}/test_{}.py", i % 7, i % 30, i));
    }
    CHECK(scan(directory).size() == 300);
  }
}

} // namespace
