#include "testmon_precreate/selection/shards.hpp"
#include <testmon_precreate/util/text.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>
#include <tuple>
#include <utility>

namespace testmon_precreate::selection {

namespace {

// How far above the mean a shard may be before files are cut.
constexpr double tolerance = 1.1;
// Pieces of this part of a shard's share are small enough for any tolerance.
constexpr double smallest_piece = 1.0 / 64;

using Owners = std::map<std::string, std::size_t, std::less<>>;

// testmon's home_file().
std::string_view file_of(std::string_view test) { return test.substr(0, test.find("::")); }

// As xdist's LoadGroupScheduling has it: an @ in a parameter is none.
std::string_view group_of(std::string_view test) {
  const std::size_t at = test.rfind('@');
  const std::size_t bracket = test.rfind(']');
  const bool is_group =
      at != std::string_view::npos && (bracket == std::string_view::npos || at > bracket);
  return is_group ? test.substr(at) : std::string_view();
}

std::string unit_name(std::string_view test, Together together) {
  const std::string_view group = together == Together::groups ? group_of(test) : "";
  return std::string(group.empty() ? file_of(test) : group);
}

// What is given to one shard as a whole.
struct Unit {
  std::string name;
  std::vector<const ShardedTest*> tests; // by name
  util::Seconds duration{0};
  bool is_piece = false; // of a file that is cut
};

bool comes_first(const Unit& left, const Unit& right) {
  return left.duration != right.duration ? left.duration > right.duration
                                         : left.tests.front()->name < right.tests.front()->name;
}

util::Seconds mean_duration(std::span<const ShardedTest> tests) {
  util::Seconds sum{0};
  double known = 0;
  for (const ShardedTest& test : tests) {
    sum += test.duration.value_or(util::Seconds(0));
    known += test.duration ? 1 : 0;
  }
  return known == 0 ? util::Seconds(1) : sum / known;
}

class Planner {
public:
  Planner(std::span<const ShardedTest> tests, Together together)
      : mean_(mean_duration(tests))
      , together_(together) {
    std::map<std::string, Unit> units;
    for (const ShardedTest& test : tests) {
      const std::string name = unit_name(test.name, together);
      Unit& unit = units[name];
      unit.name = name;
      unit.tests.push_back(&test);
    }
    for (auto& [name, unit] : units) {
      std::sort(unit.tests.begin(), unit.tests.end(),
                [](const auto* left, const auto* right) { return left->name < right->name; });
      for (const ShardedTest* test : unit.tests) {
        unit.duration += duration_of(*test);
      }
      sum_ += unit.duration;
      units_.push_back(std::move(unit));
    }
  }

  // Spreads the tests, and returns what each shard has to do then.
  std::vector<util::Seconds> spread(std::size_t count, Owners* owners) const {
    const util::Seconds share = sum_ / static_cast<double>(count);
    std::vector<Unit> units = units_;
    std::vector<std::size_t> owner;
    std::vector<util::Seconds> loads = give_away(units, count, owner);
    for (util::Seconds piece = share;
         together_ != Together::files &&
         *std::max_element(loads.begin(), loads.end()) > share * tolerance &&
         piece > share * smallest_piece;
         piece /= 2) {
      units = cut(piece);
      loads = give_away(units, count, owner);
    }
    if (owners != nullptr) {
      note(units, owner, *owners);
    }
    return loads;
  }

  [[nodiscard]] util::Seconds duration() const { return sum_; }

  [[nodiscard]] util::Seconds longest_that_stays_together() const {
    util::Seconds longest{0};
    for (const Unit& unit : units_) {
      if (may_not_be_cut(unit)) {
        longest = std::max(longest, unit.duration);
        continue;
      }
      for (const ShardedTest* test : unit.tests) {
        longest = std::max(longest, duration_of(*test));
      }
    }
    return longest;
  }

private:
  [[nodiscard]] util::Seconds duration_of(const ShardedTest& test) const {
    return test.duration.value_or(mean_);
  }

  [[nodiscard]] bool may_not_be_cut(const Unit& unit) const {
    return together_ == Together::files || unit.name.starts_with('@') || unit.tests.size() == 1;
  }

  // Longest processing time first. `owner` gets the shard of each unit; the units are sorted.
  static std::vector<util::Seconds> give_away(std::vector<Unit>& units, std::size_t count,
                                              std::vector<std::size_t>& owner) {
    std::sort(units.begin(), units.end(), comes_first);
    using Load = std::tuple<util::Seconds, std::size_t, std::size_t>; // time, units, shard
    std::priority_queue<Load, std::vector<Load>, std::greater<>> least;
    for (std::size_t shard = 0; shard < count; ++shard) {
      least.emplace(util::Seconds(0), 0, shard);
    }
    std::vector<util::Seconds> loads(count, util::Seconds(0));
    owner.clear();
    for (const Unit& unit : units) {
      const auto [time, count_of_units, shard] = least.top();
      least.pop();
      loads[shard] = time + unit.duration;
      least.emplace(loads[shard], count_of_units + 1, shard);
      owner.push_back(shard);
    }
    return loads;
  }

  // Files that take longer than `piece` become pieces of about that, of tests beside one another.
  [[nodiscard]] std::vector<Unit> cut(util::Seconds piece) const {
    std::vector<Unit> units;
    for (const Unit& unit : units_) {
      if (unit.duration <= piece || may_not_be_cut(unit)) {
        units.push_back(unit);
        continue;
      }
      Unit* part = nullptr;
      for (const ShardedTest* test : unit.tests) {
        if (part == nullptr || part->duration + duration_of(*test) > piece) {
          part = &units.emplace_back(Unit{.name = unit.name, .tests = {}, .is_piece = true});
        }
        part->tests.push_back(test);
        part->duration += duration_of(*test);
      }
    }
    return units;
  }

  static void note(const std::vector<Unit>& units, const std::vector<std::size_t>& owner,
                   Owners& owners) {
    std::map<std::string_view, std::string_view> first_pieces;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const Unit& unit = units[i];
      if (!unit.is_piece) {
        owners[unit.name] = owner[i];
        continue;
      }
      for (const ShardedTest* test : unit.tests) {
        owners[test->name] = owner[i];
      }
      const std::string_view first = unit.tests.front()->name;
      const auto known = first_pieces.emplace(unit.name, first).first;
      if (first <= known->second) {
        known->second = first;
        owners[unit.name] = owner[i];
      }
    }
  }

  util::Seconds mean_;
  Together together_;
  std::vector<Unit> units_; // by name
  util::Seconds sum_{0};
};

} // namespace

ShardPlan::ShardPlan(std::span<const ShardedTest> tests, std::size_t count, Together together)
    : together_(together)
    , durations_(Planner(tests, together).spread(count, &owners_)) {}

std::string ShardPlan::unit_of(std::string_view name) const { return unit_name(name, together_); }

std::size_t ShardPlan::owner_of(std::string_view name) const {
  const auto test = owners_.find(name);
  const std::string unit = unit_of(name);
  const auto found = test == owners_.end() ? owners_.find(unit) : test;
  if (found != owners_.end()) {
    return found->second;
  }
  return util::crc32(unit) % durations_.size();
}

bool ShardPlan::has_part_of(std::string_view file, std::size_t shard) const {
  if (owner_of(file) == shard) {
    return true;
  }
  const std::string prefix = std::string(file) + "::";
  for (auto test = owners_.lower_bound(prefix);
       test != owners_.end() && test->first.starts_with(prefix); ++test) {
    if (test->second == shard) {
      return true;
    }
  }
  return false;
}

std::size_t shards_that_pay_off(std::span<const ShardedTest> tests, util::Seconds target,
                                Together together) {
  if (tests.empty()) {
    return 0;
  }
  const Planner planner(tests, together);
  const double count =
      std::ceil(planner.duration() / std::max(target, planner.longest_that_stays_together()));
  return std::max<std::size_t>(1, static_cast<std::size_t>(count));
}

} // namespace testmon_precreate::selection
