#pragma once

#include <testmon_precreate/coordination/directory.hpp>

#include <filesystem>
#include <optional>

namespace testmon_precreate {

// A directory `run-XXXXXX` below the project's coordination directory, for one run that must not
// touch the project's data file: it holds a copy of that file, and is the coordination directory of
// this run alone. Runs in such places never meet.

// Makes a place for a run. `shared` is created if it is missing. Throws CoordinationFileError.
[[nodiscard]] coordination::CoordinationDirectory
make_run_place(const coordination::CoordinationDirectory& shared);

// The run's own data file in its place.
[[nodiscard]] std::filesystem::path
datafile_of_place(const coordination::CoordinationDirectory& place);

// The shared directory that `directory` was made in by make_run_place; nothing for any other one.
[[nodiscard]] std::optional<coordination::CoordinationDirectory>
shared_directory_of(const coordination::CoordinationDirectory& directory);

// Removes the place with all that this program and testmon have made there, then the shared
// directory if nothing else is in it. Returns whether anything was removed. Throws
// CoordinationFileError.
bool remove_run_place(const coordination::CoordinationDirectory& place);

// Removes the places below `shared` whose run is over though it could not clean up: its controller
// has died, or its state (or the place without one) is older than a day. What cannot be removed
// stays; throws nothing.
void remove_abandoned_places(const coordination::CoordinationDirectory& shared) noexcept;

} // namespace testmon_precreate
