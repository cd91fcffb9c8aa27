#pragma once

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <optional>
#include <string>

#include <sys/types.h>

namespace testmon_precreate::coordination {

// What a reader may conclude from a state.
enum class Standing {
  usable,
  controller_gone, // its controller process has ended
  other_run,       // of another run than the one asked for
  other_boot,      // of this host, from before its last reboot
  stale            // too old, or from too far in the future
};

struct Judgement {
  Standing standing = Standing::usable;
  std::string explanation; // with figures; empty for a usable state

  [[nodiscard]] bool usable() const noexcept { return standing == Standing::usable; }
};

// What can be said of the process that a state names.
enum class ControllerLife {
  alive,
  gone,       // no such process, another one with its pid, or one of an earlier boot
  not_visible // none is named, or it belongs to another host or pid namespace
};

[[nodiscard]] ControllerLife controller_life(const CoordinationState& state);

// Seconds since the state was written, by the wall clock; negative for one from the future.
[[nodiscard]] double age_of(const CoordinationState& state);

// Judges `state` for a reader that looks for run `run_uid` (nothing: for any). A state without a
// run id is of any run. A state confirmed by run id and a live controller never goes stale; any
// other must not be older than `max_age` (0: never too old), nor that far in the future.
[[nodiscard]] Judgement judge(const CoordinationState& state,
                              const std::optional<std::string>& run_uid, util::Seconds max_age);

// Fills in what readers will judge `state` by: time, host, boot, and the controller process
// `controller_pid` (nothing: judged by age). Throws UsageError if there is no such process.
void identify(CoordinationState& state, std::optional<pid_t> controller_pid);

} // namespace testmon_precreate::coordination
