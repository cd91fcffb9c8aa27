#include "merge_inputs.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/data_version.hpp>
#include <testmon_precreate/util/files.hpp>

#include <SQLiteCpp/Backup.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

std::string problem_of_content(const Inspection& seen) {
  if (seen.kind == FileKind::empty) {
    return "is empty";
  }
  if (seen.kind != FileKind::database) {
    return "is damaged: it is not an SQLite database";
  }
  return seen.truncated ? "is damaged: it is shorter than its header says" : "";
}

Inspection inspect_input(const fs::path& name, const fs::path& file) {
  try {
    const Inspection seen = inspect(file);
    require(problem_of_content(seen), name);
    return seen;
  } catch (const fs::filesystem_error& error) {
    throw BadInput(name, core::CoordinationFileError(error).what());
  }
}

constexpr std::array<std::pair<const char*, const char*>, 6> tables_with_index{
    {{"metadata", "sqlite_autoindex_metadata_1"},
     {"environment", "sqlite_autoindex_environment_1"},
     {"test_execution", "test_execution_fk_name"},
     {"file_fp", "sqlite_autoindex_file_fp_1"},
     {"test_execution_file_fp", "test_execution_file_fp_both"},
     {"suite_execution_file_fsha", "sefch_suite_id_filename_sha"}}};

// Goes to the index's last entry by counting: `count(*)` would choose its own way.
bool is_index_complete(SQLite::Database& database, const char* table, const char* index) {
  const auto rows =
      database.execAndGet(fmt::format("SELECT count(*) FROM {} NOT INDEXED", table)).getInt64();
  SQLite::Statement entries(database,
                            fmt::format("SELECT 1 FROM {} INDEXED BY {} LIMIT 2 OFFSET {}", table,
                                        index, std::max<std::int64_t>(0, rows - 1)));
  const bool has_last = entries.executeStep();
  return rows == 0 ? !has_last : has_last && !entries.executeStep();
}

void check_structure(const fs::path& name, const fs::path& file, const Inspection& seen,
                     util::Seconds busy_timeout) {
  reading(name, [&] {
    SQLite::Database database = open_for_reading(file, seen, busy_timeout);
    database.exec("PRAGMA cell_size_check = ON");
    for (const auto& [table, index] : tables_with_index) {
      require(is_index_complete(database, table, index)
                  ? ""
                  : fmt::format("is damaged: an index of {} is not complete", table),
              name);
    }
  });
}

} // namespace

void require(const std::string& problem, const fs::path& file) {
  if (!problem.empty()) {
    throw BadInput(file, problem);
  }
}

std::string problem_of_path(const fs::path& file, const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) {
    const bool pattern = file.native().find_first_of("*?[") != std::string::npos;
    return pattern ? "does not exist: the pattern matches nothing" : "does not exist";
  }
  if (fs::is_directory(status)) {
    return "is a directory; name the data file in it";
  }
  return fs::equivalent(file, target, error) ? "is the file that is merged into" : "";
}

OpenFile::OpenFile(const fs::path& name, util::Seconds busy_timeout)
    : name_(name)
    , file_(resolve_links(name))
    , seen_(inspect_input(name, file_))
    , database_(reading(name, [&] { return open_for_reading(file_, seen_, busy_timeout); }))
    , source_(reading(name, [&] { return MergeSource(begin(), name); })) {}

SQLite::Database& OpenFile::begin() {
  database_.exec("BEGIN");
  data_version_ = read_data_version(database_);
  const bool has_tables = database_.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() != 0;
  require(has_tables ? "" : "is empty: it has no tables", name_);
  require(is_known_data_version(data_version_)
              ? ""
              : fmt::format("has the unknown data version {} (known: {} to {})", data_version_,
                            oldest_data_version, newest_data_version),
          name_);
  return database_;
}

void OpenFile::copy_to(const fs::path& copy) {
  if (seen_.wal_mode && !seen_.wal_present) {
    util::copy_file(file_, copy); // no lock that this would drop is held
    return;
  }
  SQLite::Database target(copy.string(),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX);
  target.exec("PRAGMA journal_mode = OFF");
  target.exec("PRAGMA synchronous = OFF");
  if (const int result = SQLite::Backup(target, database_).executeStep(); result != SQLITE_DONE) {
    throw SQLite::Exception("the copy is not complete", result);
  }
}

void OpenFile::limit_memory(std::size_t kibibytes) {
  database_.exec(fmt::format("PRAGMA cache_size = -{}", kibibytes));
}

// Reads every page of the inputs while the merge is going on. Throws BadInput from get().
std::future<void> check_in_background(const OpenFiles& files, util::Seconds busy_timeout) {
  struct Wanted {
    fs::path name;
    fs::path file;
    Inspection seen;
  };

  std::vector<Wanted> all;
  for (const auto& file : files) {
    all.push_back({file->name(), file->file(), file->seen()});
  }
  // By any policy: without threads to be had, it is done when the result is asked for.
  return std::async([all, busy_timeout] {
    for (const Wanted& wanted : all) {
      check_structure(wanted.name, wanted.file, wanted.seen, busy_timeout);
    }
  });
}

void close_unchanged(OpenFiles& files) {
  std::vector<std::pair<fs::path, std::pair<fs::path, Inspection>>> unlocked;
  for (const auto& file : files) {
    if (is_read_without_locks(file->seen())) {
      unlocked.push_back({file->name(), {file->file(), file->seen()}});
    }
  }
  files.clear(); // `inspect` must not be called before
  for (const auto& [name, place] : unlocked) {
    require(inspect_input(name, place.first) == place.second ? "" : "has changed while it was read",
            name);
  }
}

std::optional<bool> is_on_disk(OpenFile& file, const Disk& disk) {
  return reading(file.name(), [&] {
    RawStatement names(file.database(), "SELECT DISTINCT filename FROM file_fp LIMIT 100");
    std::optional<bool> found;
    while (!found.value_or(false) && names.step()) {
      found = disk(std::string(names.text(0)), {}) != OnDisk::absent;
    }
    return found;
  });
}

} // namespace testmon_precreate::datafile
