#pragma once

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/metrics.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate {

// Everything `prepare` goes by, as options and variables gave it.
struct PrepareRequest : RunRequest {
  std::optional<pid_t> controller_pid; // nothing: the state is judged by age
  std::optional<std::string> run_uid;
  int workers = 0; // 0: not known
  std::size_t keep_environments = 4;
  util::Seconds wait_for_run{0}; // how long to wait for another run to end
  bool allow_upgrade = true;
  bool rebuild = false;
};

struct PrepareReport {
  coordination::CoordinationState state;
  std::vector<std::string> warnings;
  core::Stopwatch times; // surroundings, claim, data_file, test_files, state
};

// Makes a project ready for `pytest --testmon -n`: finds it, computes the environment key, makes
// the data file ready, scans the test files and writes the coordination state last. Throws
// core::CoordinationError and its kin; without a state written nothing waits for it.
[[nodiscard]] PrepareReport prepare(const PrepareRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
