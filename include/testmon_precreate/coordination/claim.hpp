#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/pauses.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <optional>
#include <string>

#include <sys/types.h>

namespace testmon_precreate::coordination {

// The run that wants the directory. A state with the same run id is its own; if one of the two has
// none, so is a state of the same controller process, or of one that this process descends from
// (`run` prepares ahead without an id, and the plugin in its command takes over).
struct Claimant {
  std::optional<std::string> run_uid;
  std::optional<pid_t> controller_pid;
};

// The right to replace or remove what is in a coordination directory. Only one process at a
// time holds it; a process that dies gives it up (flock(2)). Take it before anything of the run is
// changed, keep it until the state is written.
class DirectoryClaim {
public:
  explicit DirectoryClaim(util::FileDescriptor lock) noexcept
      : lock_(std::move(lock)) {}

private:
  util::FileDescriptor lock_;
};

// Takes the directory, which must have been created, for a new run, and removes what an earlier run
// left: its state and its acknowledgments. Those of the claimant's own run stay.
// While the controller of another run lives, or another `prepare` is at work, it waits up to
// `wait_for_run` for its turn: the run that has waited longest comes first. Throws CoordinationBusy
// when that time is up, CoordinationFileError, and util::Interrupted.
[[nodiscard]] DirectoryClaim claim_for_run(const CoordinationDirectory& directory,
                                           const Claimant& claimant, util::Seconds wait_for_run,
                                           bool use_notifications = true);

// What stands in the way of a change by `claimant`: that the controller of another run lives. Empty
// if nothing does. Throws CoordinationFileError if there is a state's file but it cannot be read.
[[nodiscard]] std::string living_run(const CoordinationDirectory& directory,
                                     const Claimant& claimant);

// Removes the files that this program made, and the directory if it is empty then. Everything
// else stays, links and directories of our names too. Returns whether anything was removed.
// If the controller of another run lives, or a `prepare` is at work, it throws CoordinationBusy;
// `force` disregards the former. Throws CoordinationFileError and util::Interrupted too.
bool remove_coordination_files(const CoordinationDirectory& directory, const Claimant& claimant,
                               bool force, bool use_notifications = true);

} // namespace testmon_precreate::coordination
