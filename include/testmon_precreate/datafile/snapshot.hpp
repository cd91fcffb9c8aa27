#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <filesystem>

namespace testmon_precreate::datafile {

// Copies what is committed in `file` to the new file `copy`, without changing anything at `file`'s
// place: it may be read-only, and other processes may be writing to it. The bytes are copied, those
// of the write-ahead log too; a file system that can share them does. Returns false, and leaves
// nothing at `copy`, if there is no file or an empty one. Throws DatabaseError; then part of a copy
// may be there.
[[nodiscard]] bool copy_datafile(const std::filesystem::path& file,
                                 const std::filesystem::path& copy, util::Seconds busy_timeout);

// Writes down, in the new file `origin`, what executions and counters are in `copy` now: merge()
// tells by it what has been executed since, in the copy and in the file that it was copied from
// (MergeRequest::origin). A tenth of a second copy's size. Throws DatabaseError.
void note_origin(const std::filesystem::path& copy, const std::filesystem::path& origin);

} // namespace testmon_precreate::datafile
