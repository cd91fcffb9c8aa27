#include "merge_choice.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace testmon_precreate::datafile {

namespace {

// 4 to 6 of the rule; nothing is less than any value.
auto preference(const Execution& execution) {
  return std::tuple(execution.failed, execution.forced.has_value(), execution.forced,
                    execution.duration);
}

} // namespace

bool is_same_execution(const Execution& left, const Execution& right) {
  return left.failed == right.failed && left.duration == right.duration;
}

std::size_t choose(std::span<const Execution> executions,
                   const std::function<bool(std::size_t)>& is_of_base,
                   const std::function<bool(std::size_t)>& is_on_disk) {
  const bool all_the_same =
      std::all_of(executions.begin(), executions.end(), [&](const Execution& execution) {
        return is_same_execution(execution, executions.front()) &&
               execution.forced == executions.front().forced;
      });
  if (all_the_same) {
    return 0;
  }
  // 1 and 2 of the rule.
  const auto standing = [&](std::size_t index) {
    return std::pair(!is_of_base(index), executions[index].duration.has_value());
  };
  std::vector<std::size_t> best{0};
  auto leader = standing(0);
  for (std::size_t i = 1; i < executions.size(); ++i) {
    const auto ours = standing(i);
    if (ours > leader) {
      best.clear();
      leader = ours;
    }
    if (ours >= leader) {
      best.push_back(i);
    }
  }
  std::stable_sort(best.begin(), best.end(), [&](std::size_t left, std::size_t right) {
    return preference(executions[left]) > preference(executions[right]);
  });
  const auto end = std::unique(best.begin(), best.end(), [&](std::size_t left, std::size_t right) {
    return is_same_execution(executions[left], executions[right]);
  });
  best.erase(end, best.end());
  if (best.size() == 1) {
    return best.front();
  }
  const auto found = std::find_if(best.begin(), best.end(), is_on_disk);
  return found == best.end() ? best.front() : *found;
}

} // namespace testmon_precreate::datafile
