#pragma once

#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <filesystem>
#include <type_traits>

namespace testmon_precreate::datafile {

// Opens an existing data file in a way that neither writes nor creates anything, the shared-memory
// file included. `seen` must be fresh: if another process changes the file meanwhile, a read can
// fail. Throws SQLite::Exception.
[[nodiscard]] SQLite::Database open_for_reading(const std::filesystem::path& file,
                                                const Inspection& seen, util::Seconds busy_timeout);

// Opens an existing data file for writing; waits up to `busy_timeout` for other writers' locks.
// Foreign keys are not enforced. Throws SQLite::Exception.
[[nodiscard]] SQLite::Database open_for_writing(const std::filesystem::path& file,
                                                util::Seconds busy_timeout);

// Whether closing the last connection checkpoints the log, as SQLite does by default.
void checkpoint_on_close(SQLite::Database& database, bool checkpoint);

// The data version (PRAGMA user_version), the write-ahead log included.
[[nodiscard]] int read_data_version(SQLite::Database& database);

// Whether open_for_reading takes no lock that keeps other processes from changing the file.
[[nodiscard]] constexpr bool is_read_without_locks(const Inspection& seen) {
  return seen.wal_mode && !seen.index_in_use;
}

// Calls `read(database)` on a connection of open_for_reading and returns its result. Calls it again
// if the file is not as it was inspected, because another process has begun or ended its work, and
// no lock has kept it away or `read` has failed. Throws what `read` throws; SQLite::Exception.
template <typename Read>
auto read_only(const std::filesystem::path& file, Inspection seen, util::Seconds busy_timeout,
               Read read) {
  constexpr int most_attempts = 10;
  for (int attempt = 1;; ++attempt) {
    try {
      auto result = [&] {
        SQLite::Database database = open_for_reading(file, seen, busy_timeout);
        return read(database);
      }();
      if (!is_read_without_locks(seen) || inspect(file) == seen) {
        return result;
      }
      if (attempt == most_attempts) {
        throw SQLite::Exception("it changes all the time", SQLITE_BUSY);
      }
    } catch (const SQLite::Exception&) {
      if (attempt == most_attempts || inspect(file) == seen) {
        throw;
      }
    }
    seen = inspect(file);
  }
}

// What `read(database, data_version)` returns, called as by read_only(); an empty result if there
// is no file or an empty one. Throws what `read` throws; DatabaseError, also for an unknown data
// version.
template <typename Read>
auto read_datafile(const std::filesystem::path& file, util::Seconds busy_timeout, Read read) {
  using Result = std::invoke_result_t<Read, SQLite::Database&, int>;
  return translating_errors(file, [&]() -> Result {
    const std::filesystem::path target = resolve_links(file);
    const Inspection seen = inspect(target);
    require_sound(seen, target);
    if (seen.kind != FileKind::database) {
      return {};
    }
    return read_only(target, seen, busy_timeout, [&](SQLite::Database& database) {
      const int data_version = read_data_version(database);
      require_known_version(data_version, target);
      return read(database, data_version);
    });
  });
}

// Calls `work(database)` in one transaction that holds the write lock from its start, and returns
// its result. If `work` throws, the file is byte for byte as before. Throws what `work` throws;
// SQLite::Exception.
template <typename Work>
auto in_transaction(const std::filesystem::path& file, const Inspection& seen,
                    util::Seconds busy_timeout, Work work) {
  SQLite::Database database = open_for_writing(file, busy_timeout);
  // A log that another process has left is checkpointed only once our own work has succeeded.
  checkpoint_on_close(database, !seen.wal_present);
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  auto result = work(database);
  transaction.commit();
  checkpoint_on_close(database, true);
  return result;
}

} // namespace testmon_precreate::datafile
