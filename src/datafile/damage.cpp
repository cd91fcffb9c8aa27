#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/data_version.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

constexpr const char* rebuild_hint =
    "`testmon-precreate prepare --rebuild` moves it aside and makes a new one";

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

void throw_translated(const SQLite::Exception& error, const fs::path& file, util::Seconds waited) {
  const std::string where = file.string();
  constexpr int primary = 0xff; // the rest of an extended code tells the operation
  switch (error.getErrorCode() & primary) {
  case SQLITE_NOTADB:
    throw DamagedFile({"the data file is not an SQLite database", where, rebuild_hint});
  case SQLITE_CORRUPT:
    throw DamagedFile({"the data file is corrupt", where, rebuild_hint});
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    throw core::DatabaseError(
        {fmt::format("the data file is locked by another process (waited {:.1f} s)",
                     waited.count()),
         where, "Wait for the other run to end"});
  case SQLITE_FULL:
    throw core::DatabaseError(
        {"the disk is full", where, "Free some space; the file is unchanged"});
  case SQLITE_READONLY:
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    throw core::DatabaseError({fmt::format("the data file cannot be written: {}", error.what()),
                               where, "Check the permissions of the file and its directory"});
  default:
    throw core::DatabaseError({fmt::format("SQLite reports: {}", error.what()), where, ""});
  }
}

void throw_translated(const fs::filesystem_error& error, const fs::path& file) {
  throw core::DatabaseError(
      {fmt::format("could not {} the data file: {}", error.what(), error.code().message()),
       file.string(), ""});
}

} // namespace testmon_precreate::datafile
