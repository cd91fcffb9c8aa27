#include "testmon_precreate/sharding.hpp"
#include <testmon_precreate/datafile/recorded_state.hpp>
#include <testmon_precreate/selection/content_hashes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <unordered_set>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

using selection::ShardedTest;
using selection::Together;

constexpr util::Seconds busy_timeout{60};

std::string file_of(const std::string& test) { return test.substr(0, test.find("::")); }

Together together_under(const std::optional<std::string>& distribution) {
  if (distribution == "loadfile" || distribution == "loadscope") {
    return Together::files;
  }
  return distribution == "loadgroup" ? Together::groups : Together::nothing;
}

void add_tests_of_other_environments(const Affected& affected, std::vector<ShardedTest>& tests) {
  const std::unordered_set<std::string> unknown(affected.unknown_test_files.begin(),
                                                affected.unknown_test_files.end());
  for (const auto& [name, duration] :
       datafile::read_newest_durations(affected.datafile, busy_timeout)) {
    if (unknown.contains(file_of(name))) {
      tests.push_back({.name = name, .duration = duration});
    }
  }
}

std::vector<ShardedTest> files_by_size(const Affected& affected) {
  std::vector<ShardedTest> files;
  for (const std::string& file : affected.unknown_test_files) {
    std::error_code error;
    const auto size = fs::file_size(affected.rootdir / file, error);
    files.push_back(
        {.name = file, .duration = util::Seconds(error ? 0 : static_cast<double>(size))});
  }
  return files;
}

} // namespace

ShardMaterial find_shard_material(const Affected& affected) {
  ShardMaterial material;
  material.together = together_under(affected.distribution);
  for (const AffectedTest& test : affected.tests) {
    material.tests.push_back({.name = test.name, .duration = test.duration});
  }
  if (!affected.unknown_test_files.empty()) {
    add_tests_of_other_environments(affected, material.tests);
  }
  if (material.tests.empty() && affected.recorded_tests == 0) {
    material.tests = files_by_size(affected);
    material.by_size = true;
  }
  return material;
}

std::string plan_id(const Affected& affected, const ShardMaterial& material, std::size_t count) {
  std::string text = fmt::format("{} shards of {} tests of {:a} s\n", count,
                                 affected.recorded_tests, affected.recorded_duration.count());
  for (const ShardedTest& test : material.tests) {
    fmt::format_to(std::back_inserter(text), "{:a} {}\n",
                   test.duration.value_or(util::Seconds(-1)).count(), test.name);
  }
  return selection::hash_content(text).git;
}

void restrict_to_shard(Affected& affected, const selection::ShardPlan& plan,
                       const core::Shard& shard) {
  std::erase_if(affected.tests,
                [&](const AffectedTest& test) { return plan.owner_of(test.name) != shard.index; });
  std::erase_if(affected.unknown_test_files,
                [&](const std::string& file) { return !plan.has_part_of(file, shard.index); });
  count_tests(affected);
}

std::size_t count_shards(const Affected& affected, const ShardMaterial& material,
                         util::Seconds target, std::size_t most) {
  if (material.by_size) {
    return std::min(most, affected.unknown_test_files.size());
  }
  std::set<std::string> files;
  util::Seconds sum{0};
  for (const ShardedTest& test : material.tests) {
    files.insert(file_of(test.name));
    sum += test.duration.value_or(util::Seconds(0));
  }
  const util::Seconds mean = files.empty() ? target : sum / static_cast<double>(files.size());
  std::vector<ShardedTest> tests = material.tests;
  for (const std::string& file : affected.unknown_test_files) {
    if (!files.contains(file)) {
      tests.push_back({.name = file, .duration = mean});
    }
  }
  return std::min(most, selection::shards_that_pay_off(tests, target, material.together));
}

} // namespace testmon_precreate
