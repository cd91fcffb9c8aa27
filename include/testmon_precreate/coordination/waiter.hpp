#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <optional>
#include <string>

namespace testmon_precreate::coordination {

// Exponential backoff; see Settings for ranges.
struct WaitPolicy {
  util::Seconds timeout{30};
  util::Seconds interval{0.1};
  double backoff_factor = 1.5;
  util::Seconds max_interval{2.0};
  util::Seconds max_age{300}; // 0: never stale
};

struct WaitResult {
  CoordinationState state;
  util::Seconds waited{0};
  int looks = 0;
};

// Blocks until `directory` holds a usable state of run `run_uid` (nothing: of any run).
// Throws CoordinationTimeout, ControllerNotReady or InvalidCoordinationState when the time is up;
// the message says what was seen last.
[[nodiscard]] WaitResult wait_for_state(const CoordinationDirectory& directory,
                                        const std::optional<std::string>& run_uid,
                                        const WaitPolicy& policy);

// Blocks until `count` workers have acknowledged run `run_uid`; returns them.
// Throws WorkerNotReady that names those missing of gw0 … when the time is up.
[[nodiscard]] std::vector<Acknowledgment>
wait_for_acknowledgments(const CoordinationDirectory& directory,
                         const std::optional<std::string>& run_uid, int count,
                         const WaitPolicy& policy);

} // namespace testmon_precreate::coordination
