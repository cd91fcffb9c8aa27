#include "testmon_precreate/datafile/damage.hpp"
#include <testmon_precreate/datafile/data_version.hpp>
#include <testmon_precreate/datafile/locks.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

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
