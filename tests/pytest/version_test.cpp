#include <testmon_precreate/pytest/version.hpp>

#include <doctest/doctest.h>

namespace {

namespace pytest = testmon_precreate::pytest;

TEST_SUITE("pytest/version") {
  TEST_CASE("pytest is found among packages, its plugins are not taken for it") {
    CHECK(pytest::pytest_version_among("iniconfig 2.3.1, pytest 7.4.4, pytest-cov 5.0") ==
          pytest::PytestVersion{7, 4, 4});
    CHECK_FALSE(pytest::pytest_version_among("pytest-cov 5.0, pytests 1").has_value());
    CHECK_FALSE(pytest::pytest_version_among("").has_value());
  }
}

} // namespace
