#include "testmon_precreate/datafile/backup.hpp"
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/util/files.hpp>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

fs::path backup_path(const fs::path& file, int data_version) {
  return fs::path(file) += fmt::format(".backup-v{}", data_version);
}

void back_up(const fs::path& file, int data_version, util::Seconds busy_timeout) {
  SQLite::Database source = open_for_writing(file, busy_timeout);
  const fs::path target = backup_path(file, data_version);
  util::UnfinishedFile unfinished(fs::path(target) += ".tmp");
  fs::remove(unfinished.path()); // what a process that was killed left behind
  {
    SQLite::Database copy(unfinished.path().string(),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
    fs::permissions(unfinished.path(), fs::status(file).permissions());
    // A part of a copy is never used: neither a journal nor a sync is of any use to it.
    copy.exec("PRAGMA journal_mode = OFF");
    copy.exec("PRAGMA synchronous = OFF");
    // Locked, it says so by what it returns.
    if (const int result = SQLite::Backup(copy, source).executeStep(); result != SQLITE_DONE) {
      throw SQLite::Exception("the copy is not complete", result);
    }
  }
  unfinished.rename_to(target);
}

} // namespace testmon_precreate::datafile
