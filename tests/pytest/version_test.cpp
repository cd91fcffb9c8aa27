#include <testmon_precreate/pytest/version.hpp>

#include <doctest/doctest.h>

namespace {

namespace pytest = testmon_precreate::pytest;

TEST_SUITE("pytest/version") {
  TEST_CASE("releases, pre-releases and short numbers are read") {
    CHECK(pytest::parse_pytest_version("8.4.2") == pytest::PytestVersion{8, 4, 2});
    CHECK(pytest::parse_pytest_version("9.0.0rc1") == pytest::PytestVersion{9, 0, 0});
    CHECK(pytest::parse_pytest_version("10") == pytest::PytestVersion{10, 0, 0});
    CHECK(pytest::parse_pytest_version("7.4.dev3") == pytest::PytestVersion{7, 4, 0});
    CHECK_FALSE(pytest::parse_pytest_version("unknown").has_value());
    CHECK_FALSE(pytest::parse_pytest_version("").has_value());
  }

  TEST_CASE("versions are ordered by their numbers") {
    CHECK(pytest::PytestVersion{8, 10, 0} > pytest::PytestVersion{8, 9, 9});
    CHECK(pytest::newest_pytest >= pytest::PytestVersion{9, 0, 0});
  }

  TEST_CASE("pytest is found among packages, its plugins are not taken for it") {
    CHECK(pytest::pytest_version_among("iniconfig 2.3.1, pytest 7.4.4, pytest-cov 5.0") ==
          pytest::PytestVersion{7, 4, 4});
    CHECK_FALSE(pytest::pytest_version_among("pytest-cov 5.0, pytests 1").has_value());
    CHECK_FALSE(pytest::pytest_version_among("").has_value());
  }
}

} // namespace
