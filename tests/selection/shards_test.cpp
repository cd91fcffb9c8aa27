#include <testmon_precreate/selection/shards.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace {

using testmon_precreate::selection::ShardedTest;
using testmon_precreate::selection::ShardPlan;
using testmon_precreate::selection::shards_that_pay_off;
using testmon_precreate::selection::Together;
using testmon_precreate::util::Seconds;

std::vector<ShardedTest> files(std::size_t count, std::size_t tests_each, double seconds) {
  std::vector<ShardedTest> tests;
  for (std::size_t file = 0; file < count; ++file) {
    for (std::size_t test = 0; test < tests_each; ++test) {
      tests.push_back(
          {.name = "tests/test_" + std::to_string(file) + ".py::test_" + std::to_string(test),
           .duration = Seconds(seconds)});
    }
  }
  return tests;
}

double imbalance(const ShardPlan& plan) {
  const std::vector<Seconds>& loads = plan.durations();
  const Seconds sum = std::accumulate(loads.begin(), loads.end(), Seconds(0));
  return *std::max_element(loads.begin(), loads.end()) / sum * static_cast<double>(loads.size());
}

} // namespace

TEST_CASE("files stay whole where the shards come out even") {
  const std::vector<ShardedTest> tests = files(40, 3, 1);
  const ShardPlan plan(tests, 5, Together::nothing);
  CHECK(plan.owners().size() == 40);
  CHECK(imbalance(plan) == doctest::Approx(1));
  for (const ShardedTest& test : tests) {
    CHECK(plan.owner_of(test.name) ==
          plan.owner_of(std::string_view(test.name).substr(0, test.name.find("::"))));
  }
}

TEST_CASE("the order of the tests is no matter") {
  std::vector<ShardedTest> tests = files(7, 5, 1);
  for (std::size_t i = 0; i < tests.size(); ++i) {
    tests[i].duration = Seconds(static_cast<double>(i % 4) / 3);
  }
  const ShardPlan one(tests, 3, Together::nothing);
  std::reverse(tests.begin(), tests.end());
  const ShardPlan other(tests, 3, Together::nothing);
  CHECK(one.owners() == other.owners());
}

TEST_CASE("files are cut into pieces of tests beside one another where that is needed") {
  std::vector<ShardedTest> tests = files(1, 60, 1);
  const ShardPlan plan(tests, 3, Together::nothing);
  CHECK(imbalance(plan) < 1.1);
  std::vector<bool> has_part;
  for (std::size_t shard = 0; shard < 3; ++shard) {
    has_part.push_back(plan.has_part_of("tests/test_0.py", shard));
  }
  CHECK(has_part == std::vector<bool>{true, true, true});
  // A new test of it goes with its first piece.
  CHECK(plan.owner_of("tests/test_0.py::test_new") == plan.owner_of("tests/test_0.py::test_0"));

  const ShardPlan whole(tests, 3, Together::files);
  CHECK(whole.owners().size() == 1);
  CHECK(imbalance(whole) == doctest::Approx(3));
}

TEST_CASE("a group is one unit, whatever files it is in") {
  std::vector<ShardedTest> tests = files(4, 2, 1);
  for (std::size_t i = 0; i < tests.size(); i += 2) {
    tests[i].name += "@one";
  }
  tests.push_back({.name = "tests/test_9.py::test[a@b]", .duration = Seconds(1)});
  const ShardPlan plan(tests, 2, Together::groups);
  CHECK(plan.owners().contains("@one"));
  CHECK(plan.owners().contains("tests/test_9.py"));
  CHECK(plan.owner_of("tests/test_new.py::test_x@one") == plan.owners().at("@one"));
  CHECK_FALSE(ShardPlan(tests, 2, Together::nothing).owners().contains("@one"));
}

TEST_CASE("an unknown file goes by the CRC-32 of its path, as in Python") {
  const std::vector<ShardedTest> tests = files(3, 1, 1);
  const ShardPlan plan(tests, 5, Together::nothing);
  CHECK(plan.owner_of("tests/test_new.py") == 0xf85f520fU % 5); // by zlib.crc32
  CHECK(plan.owner_of("tests/test_new.py::test_a") == plan.owner_of("tests/test_new.py"));
  CHECK(ShardPlan({}, 5, Together::nothing).owner_of("tests/test_new.py") ==
        plan.owner_of("tests/test_new.py"));
}

TEST_CASE("a test without a duration is taken for the mean") {
  std::vector<ShardedTest> tests = files(4, 1, 2);
  tests[0].duration.reset();
  CHECK(imbalance(ShardPlan(tests, 2, Together::nothing)) == doctest::Approx(1));
  for (ShardedTest& test : tests) {
    test.duration.reset();
  }
  CHECK(imbalance(ShardPlan(tests, 2, Together::nothing)) == doctest::Approx(1));
  for (ShardedTest& test : tests) {
    test.duration = Seconds(0);
  }
  const ShardPlan plan(tests, 2, Together::nothing);
  CHECK(std::count_if(tests.begin(), tests.end(), [&plan](const ShardedTest& test) {
          return plan.owner_of(test.name) == 0;
        }) == 2);
}

TEST_CASE("as many shards as have about the target to do") {
  const std::vector<ShardedTest> tests = files(10, 10, 1);
  CHECK(shards_that_pay_off({}, Seconds(10), Together::nothing) == 0);
  CHECK(shards_that_pay_off(tests, Seconds(1000), Together::nothing) == 1);
  CHECK(shards_that_pay_off(tests, Seconds(25), Together::nothing) == 4);
  CHECK(shards_that_pay_off(tests, Seconds(0.1), Together::nothing) == 100);
  CHECK(shards_that_pay_off(tests, Seconds(0.1), Together::files) == 10);
}
