#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace testmon_precreate::core {

// One of the machines that share a test suite.
struct Shard {
  std::size_t index = 0; // counted from 0; people count from 1
  std::size_t count = 1;

  bool operator==(const Shard&) const = default;
};

// `2/5` for the second of five.
[[nodiscard]] std::string to_string(const Shard& shard);

// Reads `2/5`, or `auto`: what GitLab (CI_NODE_INDEX from 1, CI_NODE_TOTAL), CircleCI
// (CIRCLE_NODE_INDEX from 0, CIRCLE_NODE_TOTAL) and Buildkite (BUILDKITE_PARALLEL_JOB from 0,
// BUILDKITE_PARALLEL_JOB_COUNT) tell a job; nothing if none of them does. At most 10,000 shards.
// Throws UsageError that names `source`, or the CI's variables if these make no shard.
[[nodiscard]] std::optional<Shard> parse_shard(std::string_view text, std::string_view source,
                                               const util::ProcessEnvironment& environment);

} // namespace testmon_precreate::core
