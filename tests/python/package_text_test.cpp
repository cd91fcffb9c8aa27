#include <testmon_precreate/python/package_text.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

namespace python = testmon_precreate::python;
using python::Distribution;

std::string drop(std::string_view text) { return python::drop_patch_version(text); }

TEST_SUITE("python/package_text") {
  TEST_CASE("packages are a sorted set; what is missing shows as None") {
    const std::vector<Distribution> found{
        {"b", "1"}, {"a", std::nullopt}, {"b", "1"},          {},
        {"é", "1"}, {"Z", "1"},          {"\U0001F40D", "1"}, {"\uFFFD", "1"}};
    CHECK(python::package_text(found, {}, {}) ==
          "None None, Z 1, a None, b 1, é 1, \uFFFD 1, \U0001F40D 1");
  }

  TEST_CASE("the versions in a text by name") {
    CHECK(python::packages_of("iniconfig 2.3.1, pytest 7.4.4, pytest-cov 5.0")["pytest"] ==
          "7.4.4");
    CHECK_FALSE(python::packages_of("pytest-cov 5.0, pytests 1").contains("pytest"));
    CHECK(python::packages_of("a 1.0, a 2.0, None None")["a"] == "1.0 and 2.0");
    CHECK(python::packages_of("").empty());
  }

  TEST_CASE("what is left out depends on the release and on the list of ignored names") {
    const std::vector<Distribution> found{{"pytest-testmon", "2.1.3"},
                                          {"UNKNOWN", "1"},
                                          {"zero", "0.0.0"},
                                          {"kept", "1"},
                                          {std::nullopt, "2"}};
    const std::vector<std::string> ignore{"kept", "None"};
    CHECK(python::package_text(found, {}, {}) ==
          "None 2, UNKNOWN 1, kept 1, pytest-testmon 2.1.3, zero 0.0.0");
    CHECK(python::package_text(found, ignore, {}) ==
          "None 2, UNKNOWN 1, pytest-testmon 2.1.3, zero 0.0.0");
    const python::PackageRules all{.leaves_itself_out = true, .leaves_unknown_out = true};
    CHECK(python::package_text(found, {}, all) == "None 2, kept 1");
    CHECK(python::package_text(found, ignore, all) == "None 2, pytest-testmon 2.1.3");
  }

  TEST_CASE("the third component goes, and going twice is not the same as once") {
    CHECK(drop("foo 1.2.3, bar 4.5.6rc1, baz 7.8") == "foo 1.2, bar 4.5, baz 7.8");
    CHECK(drop("foo 1.2.3.4") == "foo 1.2.4");
    CHECK(drop(drop("foo 1.2.3.4")) == "foo 1.2");
    CHECK(drop("").empty());
  }

  TEST_CASE("a match needs a word boundary, and begins after the one before") {
    CHECK(drop("-- 1.2.3") == "-- 1.2.3");
    CHECK(drop("-a 1.2.3") == "-a 1.2");
    CHECK(drop("a 1.2.3-4 5.6.7") == "a 1.2-4 5.6");
    CHECK(drop("a 1.2.3 4.5.6") == "a 1.2 4.5.6");
    CHECK(drop("a  1.2.3") == "a  1.2.3");
    CHECK(drop("a 1.2.+3") == "a 1.2.+3");
    CHECK(drop("a 1.x.3") == "a 1.x.3");
  }

  TEST_CASE("beyond ASCII every character is a word character") {
    CHECK(drop("é 1.2.日") == "é 1.2");
    CHECK(drop("日\u00a01.2.3") == "日\u00a01.2.3");
    CHECK(drop("a 1.٢.3") == "a 1.٢.3");
  }
}

} // namespace
