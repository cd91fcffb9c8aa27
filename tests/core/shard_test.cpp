#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/shard.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using testmon_precreate::core::parse_shard;
using testmon_precreate::core::Shard;
using testmon_precreate::core::UsageError;
using testmon_precreate::util::ProcessEnvironment;

} // namespace

TEST_CASE("a shard by its number") {
  const ProcessEnvironment none;
  CHECK(parse_shard("2/5", "--shard", none) == Shard{.index = 1, .count = 5});
  CHECK(parse_shard(" 1/1 ", "--shard", none) == Shard{.index = 0, .count = 1});
  CHECK(to_string(Shard{.index = 1, .count = 5}) == "2/5");
  for (const char* text : {"0/5", "6/5", "1/0", "2", "a/b", "1/", "-1/5", "1/10001", "1/2/3", ""}) {
    CHECK_THROWS_AS(static_cast<void>(parse_shard(text, "--shard", none)), UsageError);
  }
}

TEST_CASE("a shard by the variables of a CI service") {
  ProcessEnvironment environment;
  CHECK_FALSE(parse_shard("auto", "--shard", environment));
  environment.set("CI_NODE_TOTAL", "3"); // GitLab without `parallel`
  CHECK_FALSE(parse_shard("auto", "--shard", environment));
  environment.set("CI_NODE_INDEX", "3");
  CHECK(parse_shard("auto", "--shard", environment) == Shard{.index = 2, .count = 3});
  environment.set("CI_NODE_INDEX", "0");
  CHECK_THROWS_AS(static_cast<void>(parse_shard("auto", "--shard", environment)), UsageError);

  ProcessEnvironment circle;
  circle.set("CIRCLE_NODE_INDEX", "0");
  circle.set("CIRCLE_NODE_TOTAL", "2");
  CHECK(parse_shard("AUTO", "--shard", circle) == Shard{.index = 0, .count = 2});

  ProcessEnvironment buildkite;
  buildkite.set("BUILDKITE_PARALLEL_JOB", "4");
  buildkite.set("BUILDKITE_PARALLEL_JOB_COUNT", "5");
  CHECK(parse_shard("auto", "--shard", buildkite) == Shard{.index = 4, .count = 5});
}
