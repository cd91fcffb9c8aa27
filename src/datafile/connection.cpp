#include <testmon_precreate/datafile/connection.hpp>

#include <fmt/format.h>

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

} // namespace

SQLite::Database open_for_reading(const fs::path& file, const Inspection& seen) {
  // Without a log the file alone is the whole truth. With one, its index is needed: readonly_shm
  // maps an existing one, and builds one in memory where no process keeps it up to date.
  const std::string_view query =
      seen.wal_present ? "?mode=ro&readonly_shm=1" : "?mode=ro&immutable=1";
  return SQLite::Database(uri_of(file, query),
                          SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX);
}

SQLite::Database open_for_writing(const fs::path& file, util::Seconds busy_timeout) {
  constexpr double most = 1e9; // milliseconds that fit an int
  const double milliseconds = std::clamp(busy_timeout.count() * 1e3, 0.0, most);
  SQLite::Database database(uri_of(file, "?mode=rw"),
                            SQLite::OPEN_READWRITE | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX,
                            static_cast<int>(milliseconds));
  // A log is synced before it is folded in: a power failure may cost the last commit, never more.
  database.exec("PRAGMA synchronous = NORMAL");
  return database;
}

int read_data_version(SQLite::Database& database) {
  return database.execAndGet("PRAGMA user_version").getInt();
}

} // namespace testmon_precreate::datafile
