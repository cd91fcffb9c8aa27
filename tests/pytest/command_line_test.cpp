#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/command_line.hpp>

#include <doctest/doctest.h>

namespace {

namespace core = testmon_precreate::core;
namespace pytest = testmon_precreate::pytest;
using Words = std::vector<std::string>;

pytest::CommandLine parse(const Words& words,
                          pytest::KnownOptions known = pytest::KnownOptions::with_plugins) {
  return pytest::parse_command_line(words, known);
}

TEST_SUITE("pytest/command_line") {
  TEST_CASE("values are told from paths") {
    const auto line =
        parse({"-k", "expression", "tests", "--tb=short", "-n", "4", "a.py::test_x", "--cov", "src",
               "-rA", "-p", "no:x", "-vvxc", "my.ini", "--maxfail", "2"});
    CHECK(line.paths == Words{"tests", "a.py::test_x"});
    CHECK(line.leading_paths == 1);
    CHECK(line.workers == "4");
    CHECK(line.config_file == "my.ini");
  }

  TEST_CASE("every option that matters is kept, in its forms") {
    const auto line = parse({"--rootdir",
                             "r",
                             "--override-ini=a=b=c",
                             "-oaddopts=",
                             "--ignore",
                             "i",
                             "--ignore=j",
                             "--ignore-glob=*g",
                             "--deselect",
                             "d",
                             "--testmon-env",
                             "e",
                             "--numprocesses=auto",
                             "--import-mode",
                             "append",
                             "--confcutdir=c",
                             "--noconftest",
                             "--collect-in-virtualenv",
                             "--keep-duplicates",
                             "--doctest-modules",
                             "--pyargs",
                             "--config-file",
                             "f.toml"});
    CHECK(line.rootdir == "r");
    CHECK(line.overrides ==
          std::vector<std::pair<std::string, std::string>>{{"a", "b=c"}, {"addopts", ""}});
    CHECK(line.ignore == Words{"i", "j"});
    CHECK(line.ignore_globs == Words{"*g"});
    CHECK(line.testmon_environment == "e");
    CHECK(line.workers == "auto");
    CHECK(line.import_mode == "append");
    CHECK(line.confcutdir == "c");
    CHECK(line.has_flag("--noconftest"));
    CHECK(line.has_flag("--collect-in-virtualenv"));
    CHECK(line.has_flag("--keep-duplicates"));
    CHECK(line.has_flag("--doctest-modules"));
    CHECK(line.has_flag("--pyargs"));
    CHECK(line.config_file == "f.toml");
    CHECK(line.paths.empty());
  }

  TEST_CASE("what chooses tests: the last expression counts, flags are kept whether known or not") {
    const auto line = parse({"-k", "a", "-m", "slow", "-mnot slow", "-k", "", "--lf", "-xp", "no:x",
                             "--testmon-noselect", "-p", "y", "--", "--ff"});
    CHECK(line.keywords.empty());
    CHECK(line.markers == "not slow");
    CHECK(line.plugins == Words{"no:x", "y"});
    CHECK(line.flags == Words{"--lf", "-x", "--testmon-noselect"});
    CHECK(line.has_flag("--lf"));
    CHECK_FALSE(line.has_flag("--ff"));
  }

  TEST_CASE("short options in one word") {
    CHECK(parse({"-xn4"}).workers == "4");
    CHECK(parse({"-n=4"}).workers == "4");
    CHECK(parse({"-xsn", "2"}).workers == "2");
    CHECK(parse({"-cfile"}).config_file == "file");
  }

  TEST_CASE("optional values") {
    CHECK(parse({"--cov", "--", "-x"}).paths == Words{"-x"});
    CHECK(parse({"--cov", "-x", "a"}).paths == Words{"a"});
  }

  TEST_CASE("values of an option that is not known are told from paths by not existing") {
    const auto paths = [](const Words& words) {
      return pytest::parse_command_line(words, pytest::KnownOptions::with_plugins,
                                        [](const std::string& word) { return word == "a"; })
          .paths;
    };
    CHECK(paths({"--timeout", "60", "a", "b"}) == Words{"a", "b"});
    CHECK(paths({"--metadata", "k", "v", "a"}) == Words{"a"});
    CHECK(paths({"--timeout=60", "b"}) == Words{"b"});
    CHECK(paths({"--timeout", "60", "-x", "b"}) == Words{"b"});
    CHECK(paths({"--timeout", "--", "60"}) == Words{"60"});
    CHECK(paths({"--html", "a"}).empty());
  }

  TEST_CASE("numbers and words with a blank count as values though they start with a hyphen") {
    CHECK(parse({"-k", "-zz this"}).paths.empty());
    CHECK(parse({"-n", "-1"}).workers == "-1");
    CHECK(parse({"-1.5", "-.5"}).paths == Words{"-1.5", "-.5"});
    CHECK(parse({"-"}).paths == Words{"-"});
  }

  TEST_CASE("before plugins are loaded their options' values look like paths") {
    CHECK(parse({"-n", "4", "--cov", "src"}, pytest::KnownOptions::core).paths ==
          Words{"4", "src"});
    CHECK(parse({"--unknown", "a", "--other=b"}).paths == Words{"a"});
  }

  TEST_CASE("a missing value and an override without = are errors") {
    CHECK_THROWS_AS(parse({"--rootdir"}), core::UsageError);
    CHECK_THROWS_AS(parse({"-k", "-x"}), core::UsageError);
    CHECK_THROWS_AS(parse({"-o", "addopts"}), core::UsageError);
  }
}

} // namespace
