#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/pauses.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::coordination {

struct WaitResult {
  CoordinationState state;
  util::FileStamp file;
  util::Seconds waited{0};
  int looks = 0;
};

// What is done with a usable state before the wait for it ends: true ends it, false goes on
// waiting because the state is about to be replaced.
using Accept = std::function<bool(const WaitResult&)>;

// Blocks until `directory`, which must be absolute, holds a usable state of run `run_uid` (nothing:
// of any run) that `accept` accepts. When the time is up it throws CoordinationTimeout, or
// ControllerNotReady for a state whose controller is gone; the message says what was seen last. A
// state that cannot be read has a second to be replaced, then InvalidCoordinationState is thrown.
// Throws CoordinationFileError at once, and util::Interrupted.
[[nodiscard]] WaitResult wait_for_state(const CoordinationDirectory& directory,
                                        const std::optional<std::string>& run_uid,
                                        const WaitPolicy& policy, const Accept& accept = {});

// The acknowledgments of run `run_uid` (nothing: of any run).
[[nodiscard]] std::vector<Acknowledgment>
acknowledgments_of_run(const CoordinationDirectory& directory,
                       const std::optional<std::string>& run_uid);

// The ids of gw0 … gw<count-1> that are not among `acknowledgments`.
[[nodiscard]] std::vector<std::string>
missing_workers(const std::vector<Acknowledgment>& acknowledgments, int count);

// Blocks until `count` workers have acknowledged run `run_uid` (nothing: any run); returns them.
// Throws WorkerNotReady that names those missing of gw0 … when the time is up, and
// util::Interrupted.
[[nodiscard]] std::vector<Acknowledgment>
wait_for_acknowledgments(const CoordinationDirectory& directory,
                         const std::optional<std::string>& run_uid, int count,
                         const WaitPolicy& policy);

} // namespace testmon_precreate::coordination
