#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/testmon_version.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

namespace python = testmon_precreate::python;
using testmon_precreate::core::EnvironmentProbeError;

TEST_SUITE("python/testmon_version") {
  TEST_CASE("releases have the data version that their source states") {
    for (const char* const version : {"2.0.13", "2.1.0", "2.1.1", "2.1.3", "2.1.4", "2.1.4.dev1"}) {
      CHECK_MESSAGE(python::data_version_of_testmon(version) == 13, version);
    }
    for (const char* const version : {"2.2.0", "2.2", "2.2.0rc1", "3.0.0"}) {
      CHECK_MESSAGE(python::data_version_of_testmon(version) == 14, version);
    }
  }

  TEST_CASE("releases that cannot work are named in the error") {
    for (const char* const version : {"2.0.14", "2.0.15", "2.0.12", "1.4.5"}) {
      CHECK_THROWS_WITH_AS(static_cast<void>(python::data_version_of_testmon(version)),
                           doctest::Contains(version), EnvironmentProbeError);
    }
    CHECK_THROWS_WITH_AS(static_cast<void>(python::data_version_of_testmon("2.0.15")),
                         doctest::Contains("read-only"), EnvironmentProbeError);
    CHECK_THROWS_AS(static_cast<void>(python::data_version_of_testmon("unknown")),
                    EnvironmentProbeError);
    CHECK_THROWS_AS(static_cast<void>(python::data_version_of_testmon("")), EnvironmentProbeError);
  }

  TEST_CASE("what is left out of the package text changed with 2.1.1 and 2.1.4") {
    CHECK_FALSE(python::package_rules_of_testmon("2.1.0").leaves_itself_out);
    CHECK(python::package_rules_of_testmon("2.1.1").leaves_itself_out);
    CHECK_FALSE(python::package_rules_of_testmon("2.1.3").leaves_unknown_out);
    CHECK(python::package_rules_of_testmon("2.1.4").leaves_unknown_out);
    CHECK(python::package_rules_of_testmon("2.2.0").leaves_unknown_out);
  }
}

} // namespace
