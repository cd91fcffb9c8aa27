#pragma once

#include <testmon_precreate/affected.hpp>
#include <testmon_precreate/core/shard.hpp>
#include <testmon_precreate/selection/shards.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate {

// What shards are made of: the tests that can be affected, and those that the test files without
// data held when they ran last in another environment. If nothing at all has a duration, the test
// files, by their sizes.
struct ShardMaterial {
  std::vector<selection::ShardedTest> tests;
  bool by_size = false; // durations are bytes
  selection::Together together = selection::Together::nothing;
};

// Throws core::DatabaseError.
[[nodiscard]] ShardMaterial find_shard_material(const Affected& affected);

// A text that is the same for the shards of one plan, and for no others.
[[nodiscard]] std::string plan_id(const Affected& affected, const ShardMaterial& material,
                                  std::size_t count);

// Leaves of `affected` what the shard runs.
void restrict_to_shard(Affected& affected, const selection::ShardPlan& plan,
                       const core::Shard& shard);

// How many shards are worth it, 0 if there is nothing to run: see selection::shards_that_pay_off. A
// test file without data is taken for one of mean duration; if nothing has a duration, it is
// `most`, or the number of test files if that is less.
[[nodiscard]] std::size_t count_shards(const Affected& affected, const ShardMaterial& material,
                                       util::Seconds target, std::size_t most);

} // namespace testmon_precreate
