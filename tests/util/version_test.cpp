#include <testmon_precreate/util/version.hpp>

#include <doctest/doctest.h>

namespace {

namespace util = testmon_precreate::util;

TEST_SUITE("util/version") {
  TEST_CASE("releases, pre-releases and short numbers are read") {
    CHECK(util::parse_version("8.4.2") == util::Version{8, 4, 2});
    CHECK(util::parse_version("9.0.0rc1") == util::Version{9, 0, 0});
    CHECK(util::parse_version("10") == util::Version{10, 0, 0});
    CHECK(util::parse_version("7.4.dev3") == util::Version{7, 4, 0});
    CHECK_FALSE(util::parse_version("unknown").has_value());
    CHECK_FALSE(util::parse_version("").has_value());
  }

  TEST_CASE("versions are ordered by their numbers") {
    CHECK(util::Version{8, 10, 0} > util::Version{8, 9, 9});
    CHECK(util::Version{3, 8} < util::Version{3, 8, 1});
  }
}

} // namespace
