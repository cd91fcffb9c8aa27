#include "testmon_precreate/cli/sharding_output.hpp"
#include <testmon_precreate/core/json_text.hpp>

#include <nlohmann/json.hpp>

#include <vector>

namespace testmon_precreate::cli {

using nlohmann::ordered_json;

ordered_json to_json_value(const core::Shard& shard, const selection::ShardPlan& plan,
                           const Affected& affected, const ShardMaterial& material,
                           const std::string& plan_id) {
  ordered_json value{{"shard", core::to_string(shard)},
                     {"index", shard.index},
                     {"count", shard.count},
                     {"together", material.together == selection::Together::groups ? "groups" : ""},
                     {"id", plan_id},
                     {"nothing_to_run", affected.nothing_to_run()},
                     {"seconds", nullptr},
                     {"owners", std::vector<std::vector<std::string>>(shard.count)}};
  if (!material.by_size) {
    value["seconds"] = ordered_json::array();
    for (const util::Seconds duration : plan.durations()) {
      value["seconds"].push_back(duration.count());
    }
  }
  for (const auto& [name, owner] : plan.owners()) {
    value["owners"][owner].push_back(core::to_json_string(name));
  }
  return value;
}

ordered_json shard_names(std::size_t count) {
  ordered_json names = ordered_json::array();
  for (std::size_t index = 0; index < count; ++index) {
    names.push_back(core::to_string({.index = index, .count = count}));
  }
  return names;
}

} // namespace testmon_precreate::cli
