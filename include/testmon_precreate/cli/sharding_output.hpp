#pragma once

#include <testmon_precreate/core/shard.hpp>
#include <testmon_precreate/sharding.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>

namespace testmon_precreate::cli {

// The plan as the plugin reads it. `affected` is restricted to the shard.
[[nodiscard]] nlohmann::ordered_json
to_json_value(const core::Shard& shard, const selection::ShardPlan& plan, const Affected& affected,
              const ShardMaterial& material, const std::string& plan_id);

// `["1/3", "2/3", "3/3"]`, as the matrix of a pipeline takes it.
[[nodiscard]] nlohmann::ordered_json shard_names(std::size_t count);

} // namespace testmon_precreate::cli
