#include "testmon_precreate/datafile/connection.hpp"
#include <testmon_precreate/datafile/reading_vfs.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// https://sqlite.org/uri.html: `%`, `?` and `#` have a meaning there.
std::string uri_of(const fs::path& file, std::string_view query) {
  std::string uri = "file:";
  for (const char c : file.native()) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  uri += query;
  return uri;
}

int milliseconds(util::Seconds duration) {
  constexpr double most = 1e9; // fits an int
  return static_cast<int>(std::clamp(duration.count() * 1e3, 0.0, most));
}

} // namespace

SQLite::Database open_for_reading(const fs::path& file, const Inspection& seen,
                                  util::Seconds busy_timeout) {
  // Without a log the file alone is the whole truth. With one, its index is needed: the shared one
  // if a process keeps it up to date.
  std::string_view query = "?mode=ro";
  if (seen.wal_present) {
    query = seen.index_in_use ? "?mode=ro&readonly_shm=1" : "?mode=ro&private_index=1";
  } else if (seen.wal_mode) {
    query = "?mode=ro&immutable=1";
  }
  SQLite::Database database(uri_of(file, query),
                            SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX,
                            milliseconds(busy_timeout), reading_vfs());
  // A large sort would need a temporary file, which that layer does not make.
  database.exec("PRAGMA temp_store = MEMORY");
  return database;
}

SQLite::Database open_for_writing(const fs::path& file, util::Seconds busy_timeout) {
  SQLite::Database database(uri_of(file, "?mode=rw"),
                            SQLite::OPEN_READWRITE | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX,
                            milliseconds(busy_timeout));
  // A log is synced before a checkpoint: a power failure may cost the last commit, never more.
  database.exec("PRAGMA synchronous = NORMAL");
  return database;
}

void checkpoint_on_close(SQLite::Database& database, bool checkpoint) {
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, checkpoint ? 0 : 1,
                    nullptr);
}

int read_data_version(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

} // namespace testmon_precreate::datafile
