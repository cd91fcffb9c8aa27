#pragma once

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/stopwatch.hpp>
#include <testmon_precreate/selection/worker_count.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <functional>
#include <optional>
#include <string>

namespace testmon_precreate {

// Whether a run gets a copy of the data file for itself, which goes when the run ends.
enum class PrivateCopy {
  never,
  needed, // if the data file cannot be written
  always
};

// Everything `prepare` goes by, as options and variables gave it.
struct PrepareRequest : RunRequest {
  std::optional<pid_t> controller_pid; // nothing: the state is judged by age
  std::optional<std::string> run_uid;
  int workers = 0; // 0: not known
  std::size_t keep_environments = 4;
  util::Seconds wait_for_run{0}; // how long to wait for another run to end
  bool allow_upgrade = true;
  bool rebuild = false;
  PrivateCopy private_copy = PrivateCopy::never; // testmon must be told its path: the state has it
  // How xdist will distribute the tests: the state then tells how many of `workers` pay off, at
  // least `least_workers`. Nothing: it is not asked.
  std::optional<selection::Grouping> grouping;
  int least_workers = 0;
  // Called with each warning as soon as it is known; an error may follow.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

struct PrepareReport {
  coordination::CoordinationState state;
  core::Stopwatch times; // surroundings, claim, data_file, test_files, workers, state
};

// Makes a project ready for `pytest --testmon -n`: finds it, computes the environment key, makes
// the data file ready, scans the test files and writes the coordination state last. Throws
// core::CoordinationError and its kin; without a state written nothing waits for it.
[[nodiscard]] PrepareReport prepare(const PrepareRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
