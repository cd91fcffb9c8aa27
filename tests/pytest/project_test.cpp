#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/project.hpp>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
namespace core = testmon_precreate::core;
namespace pytest = testmon_precreate::pytest;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::TemporaryDirectory;
using Words = std::vector<std::string>;

pytest::Project find(const fs::path& directory, Words arguments = {},
                     pytest::PytestVersion version = pytest::newest_pytest,
                     std::map<std::string, std::string> environment = {}) {
  return pytest::find_project({.invocation_directory = directory,
                               .arguments = std::move(arguments),
                               .environment = util::ProcessEnvironment(std::move(environment)),
                               .version = version});
}

std::string error_of(const fs::path& directory, const Words& arguments) {
  try {
    static_cast<void>(find(directory, arguments));
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST_SUITE("pytest/project") {
  TEST_CASE("the nearest configuration above the arguments' common parent decides") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\naddopts = -q\n");
    directory.write("a/tox.ini", "[pytest]\n");
    directory.write("a/b/x.py");
    directory.write("c/y.py");
    CHECK(find(directory.path() / "a" / "b").rootdir == directory.path() / "a");
    CHECK(find(directory.path(), {"a/b/x.py::test", "c"}).rootdir == directory.path());
    CHECK(find(directory.path(), {"a/b"}).rootdir == directory.path() / "a");
    CHECK(find(directory.path(), {"missing"}).rootdir == directory.path());
    const auto project = find(directory.path());
    CHECK(project.config_file == directory.path() / "pytest.ini");
    CHECK(project.is_configured);
  }

  TEST_CASE("without configuration: setup.py, then the common parent") {
    const TemporaryDirectory directory;
    directory.write("p/setup.py");
    directory.write("p/sub/x.py");
    directory.write("q/x.py");
    CHECK(find(directory.path() / "p" / "sub").rootdir == directory.path() / "p");
    CHECK(find(directory.path() / "q", {"../p/sub", "."}).rootdir == directory.path());
    CHECK_FALSE(find(directory.path() / "q").is_configured);
    CHECK(find(directory.path(), {"/"}).rootdir == "/");
  }

  TEST_CASE("each argument's configuration counts if their common parent has none") {
    const TemporaryDirectory directory;
    directory.write("p/pytest.ini");
    directory.write("q/x.py");
    CHECK(find(directory.path(), {"q", "p"}).rootdir == directory.path() / "p");
  }

  TEST_CASE("a pyproject.toml without pytest's table marks the rootdir from 8.1 on") {
    const TemporaryDirectory directory;
    directory.write("pyproject.toml", "[project]\nname = 'x'\n");
    directory.write("sub/x.py");
    const auto project = find(directory.path() / "sub");
    CHECK(project.rootdir == directory.path());
    CHECK(project.config_file == directory.path() / "pyproject.toml");
    CHECK_FALSE(project.is_configured);
    CHECK(find(directory.path() / "sub", {}, {8, 0, 2}).rootdir == directory.path() / "sub");
  }

  TEST_CASE("--rootdir, with variables") {
    const TemporaryDirectory directory;
    directory.write("sub/x.py");
    const auto rootdir = [&](const char* text) {
      return find(directory.path(), {"--rootdir", text}, pytest::newest_pytest, {{"NAME", "sub"}})
          .rootdir;
    };
    CHECK(rootdir("sub/") == directory.path() / "sub");
    CHECK(rootdir("$NAME") == directory.path() / "sub");
    CHECK(rootdir("./${NAME}/.") == directory.path() / "sub");
    CHECK(error_of(directory.path(), {"--rootdir=$MISSING"}).find("--rootdir") !=
          std::string::npos);
    CHECK(error_of(directory.path(), {"--rootdir=${"}).find("--rootdir") != std::string::npos);
  }

  TEST_CASE("-c names the configuration and, with it, the rootdir") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\na = 1\n");
    directory.write("conf/own.ini", "[pytest]\na = 2\n");
    directory.write("conf/text.txt");
    const auto project = find(directory.path(), {"-c", "conf/own.ini"});
    CHECK(project.rootdir == directory.path() / "conf");
    CHECK(project.ini_string("a") == "2");
    CHECK(find(directory.path(), {"-c", "conf/own.ini", "--rootdir=."}).rootdir ==
          directory.path());
    CHECK(find(directory.path(), {"-c", "/dev/null"}).rootdir == directory.path());
    CHECK(error_of(directory.path(), {"-c", "missing.ini"}) != "no error");
    CHECK(error_of(directory.path(), {"-c", "conf"}) != "no error");
    CHECK(error_of(directory.path(), {"-c", "conf/text.txt"}) != "no error");
  }

  TEST_CASE("addopts, PYTEST_ADDOPTS and arguments stand in this order; overrides win") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\naddopts = -n 1 --testmon-env ini\ntestpaths = a\n");
    const auto project = find(directory.path(), {"-o", "testpaths=b c", "x"}, pytest::newest_pytest,
                              {{"PYTEST_ADDOPTS", "-n 2 'y z'"}});
    CHECK(project.command_line.workers == "2");
    CHECK(project.command_line.testmon_environment == "ini");
    CHECK(project.command_line.paths == Words{"y z", "x"});
    CHECK(project.ini_args("testpaths") == Words{"b", "c"});
    CHECK(find(directory.path(), {"-o", "addopts="}).command_line.workers == std::nullopt);
    CHECK(find(directory.path(), {"-n", "3"}).command_line.workers == "3");
  }

  TEST_CASE("an older pytest may accept what the newest refuses") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\n");
    directory.write("setup.cfg", "[pytest]\naddopts = -x\n");
    CHECK_THROWS_AS(static_cast<void>(find(directory.path())), core::UsageError);
    CHECK(find(directory.path(), {}, {8, 4, 2}).rootdir == directory.path());
  }

  TEST_CASE("a rootdir and a configuration file beside the arguments win over theirs") {
    const TemporaryDirectory directory;
    directory.write("a/own.ini", "[pytest]\nx = a\n");
    directory.write("b/own.ini", "[pytest]\nx = b\n");
    const auto project =
        pytest::find_project({.invocation_directory = directory.path(),
                              .arguments = {"-c", "a/own.ini", "--rootdir=a", "--"},
                              .rootdir = "b",
                              .config_file = "b/own.ini"});
    CHECK(project.rootdir == directory.path() / "b");
    CHECK(project.ini_string("x") == "b");
  }

  TEST_CASE("an override in addopts counts from 9.1 on") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\naddopts = -o testpaths=late\n");
    CHECK(find(directory.path()).ini_string("testpaths") == "late");
    CHECK(find(directory.path(), {}, {9, 0, 2}).ini_string("testpaths").empty());
  }

  TEST_CASE("ini values by type") {
    const TemporaryDirectory directory;
    directory.write("pyproject.toml",
                    "[tool.pytest]\nlist = ['a b', 'c']\ntext = 'a b'\nyes = true\nno = false\n");
    const auto project = find(directory.path());
    CHECK(project.ini_args("list") == Words{"a b", "c"});
    CHECK_THROWS_AS(static_cast<void>(project.ini_args("text")), core::UsageError);
    CHECK(project.ini_args("missing", {"fallback"}) == Words{"fallback"});
    CHECK(project.ini_string("text") == "a b");
    CHECK(project.ini_string("missing").empty());
    CHECK(project.ini_bool("yes"));
    CHECK_FALSE(project.ini_bool("no"));
  }

  TEST_CASE("@FILE that names itself is an error") {
    const TemporaryDirectory directory;
    directory.write("arguments", "@arguments\n");
    CHECK_THROWS_WITH_AS(static_cast<void>(find(directory.path(), {"@arguments"})),
                         doctest::Contains("include each other"), core::UsageError);
  }

  TEST_CASE("@FILE stands for the lines of a file from 8.2 on") {
    const TemporaryDirectory directory;
    directory.write("arguments", "--ignore\ntwo words\r\n@more\n");
    directory.write("more", "x");
    const auto line = find(directory.path(), {"@arguments"}).command_line;
    CHECK(line.ignore == Words{"two words"});
    CHECK(line.paths == Words{"x"});
    CHECK(find(directory.path(), {"@arguments"}, {8, 1, 0}).command_line.paths ==
          Words{"@arguments"});
    CHECK(error_of(directory.path(), {"@missing"}) != "no error");
  }

  TEST_CASE("a broken file beside the chosen one shows from pytest 9 on") {
    const TemporaryDirectory directory;
    directory.write("pytest.ini", "[pytest]\n");
    directory.write("tox.ini", "nonsense\n");
    CHECK(error_of(directory.path(), {}).find("tox.ini:1") != std::string::npos);
    CHECK(find(directory.path(), {}, {8, 4, 2}).is_configured);
  }
}

} // namespace
