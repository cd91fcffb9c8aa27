#pragma once

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <optional>

namespace testmon_precreate::datafile {

inline constexpr const char* rebuild_hint =
    "`testmon-precreate prepare --rebuild` moves it aside and makes a new one";

// The data file cannot be used as one: moving it aside (`--rebuild`) helps, waiting does not.
class DamagedFile : public core::DatabaseError {
public:
  using ErrorWith::ErrorWith;
};

// Throws DamagedFile if `seen` is no sound database, or a log lies beside a file that is gone.
void require_sound(const Inspection& seen, const std::filesystem::path& file);

// Throws DamagedFile if this program does not know `data_version`.
void require_known_version(int data_version, const std::filesystem::path& file);

enum class WhatToCheck {
  everything,
  schema // the table sqlite_schema alone
};

// Reads the file (PRAGMA integrity_check). Throws DamagedFile with the first thing found;
// SQLite::Exception.
void require_integrity(SQLite::Database& database, const std::filesystem::path& file,
                       WhatToCheck what = WhatToCheck::everything);

// Looks for rows that refer to rows that are not there (PRAGMA foreign_key_check). testmon's own
// suite_execution_file_fsha refers to a table that no release makes; it is left out.
// Throws as require_integrity.
void require_foreign_keys(SQLite::Database& database, const std::filesystem::path& file);

// Renames `file`, and its log with it, to `<file>.damaged-<n>`, the first n that is free; deletes
// nothing. Nothing if another process has moved or replaced the file since this one looked at
// it. Returns the new name. Throws std::filesystem::filesystem_error.
std::optional<std::filesystem::path> move_aside(const std::filesystem::path& file);

// Throws the DatabaseError (or DamagedFile) that tells a user what SQLite's error means.
// `waited` is how long the work has taken, the waiting for another process's lock included.
[[noreturn]] void throw_translated(const SQLite::Exception& error,
                                   const std::filesystem::path& file, util::Seconds waited);

// Does `work` on `file` and returns its result; SQLite's errors and the system's leave as
// DatabaseError.
template <typename Work>
auto translating_errors(const std::filesystem::path& file, Work work) {
  const auto start = std::chrono::steady_clock::now();
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    throw_translated(error, file, std::chrono::steady_clock::now() - start);
  } catch (const std::filesystem::filesystem_error& error) {
    throw core::DatabaseError({core::CoordinationFileError(error).what(), "", ""});
  }
}

} // namespace testmon_precreate::datafile
