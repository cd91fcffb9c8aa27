#pragma once

#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace testmon_precreate::datafile {

// Opens an existing data file in a way that neither writes nor creates anything, the shared-memory
// file included. `seen` must be fresh. Throws SQLite::Exception.
[[nodiscard]] SQLite::Database open_for_reading(const std::filesystem::path& file,
                                                const Inspection& seen);

// Opens an existing data file for writing; waits up to `busy_timeout` for other writers' locks.
// Foreign keys are not enforced. Throws SQLite::Exception.
[[nodiscard]] SQLite::Database open_for_writing(const std::filesystem::path& file,
                                                util::Seconds busy_timeout);

// The data version (PRAGMA user_version), the write-ahead log included.
[[nodiscard]] int read_data_version(SQLite::Database& database);

} // namespace testmon_precreate::datafile
