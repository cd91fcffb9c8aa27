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

// Who wants the directory: a state with the same run id is the claimant's own; where one of the two
// has none, so is a state of the same controller process, or of one that this process descends from
// (`run` prepares ahead without an id, and the plugin in its command takes over).
struct Claimant {
  std::optional<std::string> run_uid;
  std::optional<pid_t> controller_pid;
};

// The right to replace or remove what is in a coordination directory. Held by one process of all at
// a time; a process that dies gives it up (flock(2)). Take it before anything of the run is
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
// Where the controller of another run lives, or another `prepare` is at work, it waits up to
// `wait_for_run` for its turn: whoever waits longest comes first. Throws CoordinationBusy when that
// time is up, CoordinationFileError, and util::Interrupted.
[[nodiscard]] DirectoryClaim claim_for_run(const CoordinationDirectory& directory,
                                           const Claimant& claimant, util::Seconds wait_for_run,
                                           bool use_notifications = true);

// What stands in the way of a change by `claimant`: that the controller of another run lives. Empty
// where nothing does. Throws CoordinationFileError where there is a state's file but it cannot be
// read.
[[nodiscard]] std::string living_run(const CoordinationDirectory& directory,
                                     const Claimant& claimant);

// Removes the files that this program made, and the directory where it is empty then; what else
// there is stays, links and directories of our names too. Returns whether anything was removed.
// Where the controller of another run lives, or a `prepare` is at work, it throws CoordinationBusy;
// `force` disregards the former. Throws CoordinationFileError and util::Interrupted too.
bool remove_coordination_files(const CoordinationDirectory& directory, const Claimant& claimant, bool force,
              bool use_notifications = true);

} // namespace testmon_precreate::coordination
