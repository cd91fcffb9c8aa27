#include "testmon_precreate/selection/worker_count.hpp"

#include <algorithm>
#include <unordered_map>

namespace testmon_precreate::selection {

namespace {

std::string_view group_of(std::string_view test, Grouping grouping) {
  switch (grouping) {
  case Grouping::test:
    return test;
  case Grouping::file:
    return test.substr(0, test.find("::"));
  case Grouping::scope:
    break;
  }
  // As xdist's LoadScopeScheduling: nodeid.rsplit("::", 1)[0].
  return test.substr(0, test.rfind("::"));
}

// What it takes to start that many at once, in starts of one. Beyond the processors they queue up;
// up to there they still have to share the controller, which starts one after another.
double crowding(int workers, unsigned processors) {
  constexpr double share_of_controller = 0.1;
  return std::max(1.0, static_cast<double>(workers) / std::max(1U, processors)) +
         share_of_controller * (workers - 1);
}

} // namespace

int workers_that_pay(std::span<const TestToRun> tests, Grouping grouping,
                     const WorkerBounds& bounds) {
  if (tests.empty()) {
    return std::min(bounds.least, bounds.asked);
  }
  std::unordered_map<std::string_view, util::Seconds> groups;
  for (const TestToRun& test : tests) {
    if (!test.duration) {
      return bounds.asked;
    }
    groups[group_of(test.name, grouping)] += *test.duration;
  }
  util::Seconds whole{0};
  util::Seconds longest{0};
  for (const auto& [group, duration] : groups) {
    whole += duration;
    longest = std::max(longest, duration);
  }
  const int most = std::min(bounds.asked, static_cast<int>(groups.size()));
  if (!bounds.start_up) {
    return most;
  }
  const auto time_with = [&](int workers) {
    return *bounds.start_up * crowding(workers, bounds.processors) +
           std::max(longest, whole / workers);
  };
  int best = 1;
  for (int workers = 2; workers <= most; ++workers) {
    if (time_with(workers) < time_with(best)) {
      best = workers;
    }
  }
  return best;
}

util::Seconds start_up_of_one(util::Seconds together, int workers, unsigned processors) {
  return together / crowding(workers, processors);
}

} // namespace testmon_precreate::selection
