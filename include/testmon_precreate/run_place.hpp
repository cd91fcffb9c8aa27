#pragma once

#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/datafile/merge.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace testmon_precreate {

// A directory `run-XXXXXX` below the project's coordination directory, for one run that must not
// touch the project's data file: it holds a copy of that file, and is the coordination directory of
// this run alone. Runs in such places never meet.
//
// A run that only must not touch the file *now*, since another run is at work on it, also notes
// what the copy holds at first. When it ends, its place becomes `done-XXXXXX` and waits for a
// moment when no prepared run reads the data file; then what it has recorded since is merged.
// Whatever ends or begins a run in the shared directory looks for such places.

// Makes a place for a run with a copy of `datafile`, if there is one. `shared` is created if it is
// missing. Throws CoordinationFileError; DatabaseError; then nothing is left of the place.
[[nodiscard]] coordination::CoordinationDirectory
make_run_place(const coordination::CoordinationDirectory& shared,
               const std::filesystem::path& datafile, bool will_be_merged);

// The run's own data file in its place.
[[nodiscard]] std::filesystem::path
datafile_of_place(const coordination::CoordinationDirectory& place);

// The shared directory that `directory` was made in by make_run_place; nothing for any other one.
[[nodiscard]] std::optional<coordination::CoordinationDirectory>
shared_directory_of(const coordination::CoordinationDirectory& directory);

// Ends the run in `place`: its coordination files go, and all else too unless it is to be merged.
// Returns whether anything was removed. Throws CoordinationFileError.
bool end_run_place(const coordination::CoordinationDirectory& place);

// Removes the place with all that is in it, and the shared directory unless a run is at work there
// or something else is in it. Throws CoordinationFileError.
void discard_run_place(const coordination::CoordinationDirectory& place);

// Removes the shared directory's coordination files, unless another run is at work there: then that
// one does. Throws CoordinationFileError.
void leave_shared_directory(const coordination::CoordinationDirectory& shared,
                            const coordination::Claimant& claimant);

// The project that places belong to, and how what they hold gets into its data file.
struct MergeTarget {
  std::filesystem::path datafile;
  std::function<datafile::OnDisk(const std::string& file, std::string_view fsha)> disk;
  // Called with what was merged for a run that was killed, and with what cannot be merged yet.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

// Merges what is in the places below `shared` whose run is over, and removes them. A run is over if
// it has ended, if its controller has died, or if its state is older than a day. What cannot be
// merged stays for later, but no longer than a week, and of more than 16 places the oldest go. Call
// it with `shared` claimed (claim.hpp), so that no prepared run reads the data file. Throws
// nothing of a place's.
void merge_ended_places(const coordination::CoordinationDirectory& shared,
                        const MergeTarget& target);

// Whether there are places below `shared` whose run is over.
[[nodiscard]] bool has_ended_places(const coordination::CoordinationDirectory& shared);

} // namespace testmon_precreate
