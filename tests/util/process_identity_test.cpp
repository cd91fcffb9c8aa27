#include <testmon_precreate/util/process_identity.hpp>

#include <doctest/doctest.h>

#include <unistd.h>

namespace {

namespace util = testmon_precreate::util;

TEST_SUITE("util/process_identity") {
  TEST_CASE("start times tell processes apart and lie in the past") {
    const auto own = util::process_start_ticks(::getpid());
    REQUIRE(own.has_value());
    CHECK(own == util::process_start_ticks(::getpid()));
    const double age = (util::wall_clock_now() - util::start_ticks_to_wall_clock(*own)).count();
    CHECK(age >= -0.02); // a clock tick of 10 ms is the resolution
    CHECK(age < 3600);
    CHECK_FALSE(util::process_start_ticks(-1).has_value());
  }

  TEST_CASE("the parent of a process is found, and none for a process that is not") {
    CHECK(util::parent_of(::getpid()) == ::getppid());
    CHECK_FALSE(util::parent_of(-1).has_value());
  }
}

} // namespace
