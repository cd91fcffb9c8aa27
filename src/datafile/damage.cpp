#include "testmon_precreate/datafile/damage.hpp"
#include <testmon_precreate/datafile/data_version.hpp>
#include <testmon_precreate/datafile/locks.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/file.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

std::string locked_text(const fs::path& file, util::Seconds waited) {
  const std::string holders = describe_lock_holders(resolve_links(file));
  return fmt::format("the data file is locked by {} (waited {:.1f} s)",
                     holders.empty() ? "another process" : holders, waited.count());
}

// SQLite reports a full disk as an I/O error if it could not enlarge the log's index.
bool is_disk_full(const fs::path& file) {
  constexpr std::uintmax_t one_index = std::uintmax_t{64} * 1024;
  std::error_code error;
  const fs::space_info space = fs::space(file.parent_path(), error);
  return !error && space.available < one_index;
}

[[noreturn]] void throw_disk_full(const fs::path& file) {
  throw core::DatabaseError(
      {"the disk is full", file.string(), "The data file is unchanged; free some space"});
}

fs::path rename_to_first_free(const fs::path& from, const fs::path& file, const char* suffix) {
  for (int number = 1;; ++number) {
    fs::path to = fs::path(file) += fmt::format(".damaged-{}", number);
    if (util::rename_to_new(from, fs::path(to) += suffix)) {
      return to;
    }
  }
}

} // namespace

void require_sound(const Inspection& seen, const fs::path& file) {
  if (seen.kind == FileKind::other) {
    throw DamagedFile({"the data file is not an SQLite database", file.string(), rebuild_hint});
  }
  if (seen.truncated) {
    throw DamagedFile({"the data file is truncated: it is shorter than its header says",
                       file.string(), rebuild_hint});
  }
  if (seen.wal_present && seen.kind == FileKind::absent) {
    throw DamagedFile({"a write-ahead log is left over from a data file that is gone",
                       wal_path(file).string(),
                       "Put the data file back beside it, or let `testmon-precreate prepare "
                       "--rebuild` move the log aside"});
  }
}

void require_known_version(int data_version, const fs::path& file) {
  if (!is_known_data_version(data_version)) {
    throw DamagedFile({fmt::format("the data file has the unknown data version {} (known: {} to "
                                   "{})",
                                   data_version, oldest_data_version, newest_data_version),
                       file.string(), rebuild_hint});
  }
}

void require_integrity(SQLite::Database& database, const fs::path& file, WhatToCheck what) {
  SQLite::Statement check(database, what == WhatToCheck::everything
                                        ? "PRAGMA integrity_check(1)"
                                        : "PRAGMA integrity_check(sqlite_schema)");
  const std::string found = check.executeStep() ? check.getColumn(0).getString() : "no answer";
  if (found != "ok") {
    throw DamagedFile({"the data file is corrupt: " + found, file.string(), rebuild_hint});
  }
}

void require_foreign_keys(SQLite::Database& database, const fs::path& file) {
  for (const char* table : {"test_execution", "test_execution_file_fp"}) {
    SQLite::Statement check(database, fmt::format("PRAGMA foreign_key_check({})", table));
    if (check.executeStep()) {
      throw DamagedFile(
          {fmt::format("the data file is corrupt: row {} of {} refers to a row of {} "
                       "that is not there",
                       check.getColumn(1).getInt64(), table, check.getColumn(2).getString()),
           file.string(), rebuild_hint});
    }
  }
}

std::optional<fs::path> move_aside(const fs::path& file) {
  const bool log_alone = !fs::exists(file);
  const fs::path locked = log_alone ? wal_path(file) : file;
  // Several processes may find the damage at once: who waited for the lock finds another file here.
  const util::FileDescriptor descriptor = util::open_file(locked, O_RDONLY);
  static_cast<void>(util::uninterrupted([&] { return ::flock(descriptor.get(), LOCK_EX); }));
  if (!util::leads_to(locked, descriptor)) {
    return std::nullopt;
  }
  if (log_alone) {
    return rename_to_first_free(locked, file, "-wal") += "-wal";
  }
  // The file goes first: a log alone is refused later, a file without its log would be believed.
  fs::path aside = rename_to_first_free(file, file, "");
  if (fs::exists(wal_path(file))) {
    fs::rename(wal_path(file), wal_path(aside));
  }
  std::error_code ignored; // only an index of the log, made again if it is missing
  fs::remove(shm_path(file), ignored);
  return aside;
}

void throw_translated(const SQLite::Exception& error, const fs::path& file, util::Seconds waited) {
  const std::string where = file.string();
  constexpr const char* permissions_hint = "Check the permissions of the file and its directory";
  constexpr int primary = 0xff; // the rest of an extended code tells the operation
  switch (error.getErrorCode() & primary) {
  case SQLITE_NOTADB:
    throw DamagedFile({"the data file is not an SQLite database", where, rebuild_hint});
  case SQLITE_CORRUPT:
    throw DamagedFile({"the data file is corrupt", where, rebuild_hint});
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    throw core::DatabaseError(
        {locked_text(file, waited), where, "Wait until it has ended, or end it"});
  case SQLITE_FULL:
    throw_disk_full(file);
  case SQLITE_READONLY:
    throw core::DatabaseError({fmt::format("the data file cannot be written: {}", error.what()),
                               where, permissions_hint});
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    throw core::DatabaseError(
        {fmt::format("the data file cannot be opened: {}", error.what()), where, permissions_hint});
  case SQLITE_ERROR: // `no such table` and its like
    throw DamagedFile(
        {fmt::format("the data file is not testmon's: {}", error.what()), where, rebuild_hint});
  default:
    if (is_disk_full(resolve_links(file))) {
      throw_disk_full(file);
    }
    throw core::DatabaseError({fmt::format("SQLite reports: {}", error.what()), where, ""});
  }
}

} // namespace testmon_precreate::datafile
