#include <testmon_precreate/datafile/backup.hpp>
#include <testmon_precreate/datafile/connection.hpp>

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// Removes a file that was not renamed away.
class Unfinished {
public:
  explicit Unfinished(fs::path path)
      : path_(std::move(path)) {
    remove(); // what a process that was killed left behind
  }

  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  Unfinished(Unfinished&&) = delete;
  Unfinished& operator=(Unfinished&&) = delete;

  ~Unfinished() { remove(); }

  void rename_to(const fs::path& target) const { fs::rename(path_, target); }

  [[nodiscard]] const fs::path& path() const { return path_; }

private:
  void remove() const noexcept {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

  fs::path path_;
};

} // namespace

fs::path backup_path(const fs::path& file, int data_version) {
  return fs::path(file) += fmt::format(".backup-v{}", data_version);
}

void copy_database(SQLite::Database& source, const fs::path& target, fs::perms permissions) {
  const Unfinished unfinished(fs::path(target) += ".tmp");
  {
    SQLite::Database copy(unfinished.path().string(),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
    fs::permissions(unfinished.path(), permissions);
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

void back_up(const fs::path& file, int data_version, util::Seconds busy_timeout) {
  SQLite::Database source = open_for_writing(file, busy_timeout);
  copy_database(source, backup_path(file, data_version), fs::status(file).permissions());
}

} // namespace testmon_precreate::datafile
