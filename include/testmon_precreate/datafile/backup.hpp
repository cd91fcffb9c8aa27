#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace testmon_precreate::datafile {

// `<file>.backup-v<data_version>`: one backup a data version is kept, the newest.
[[nodiscard]] std::filesystem::path backup_path(const std::filesystem::path& file,
                                                int data_version);

// Copies what is committed in `file` to backup_path, which appears at once and whole and replaces
// an older one. The caller holds the file's write lock on another connection, so that no one else
// does the same. Throws SQLite::Exception; std::filesystem::filesystem_error.
void back_up(const std::filesystem::path& file, int data_version, util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
