#include "testmon_precreate/datafile/upgrade.hpp"
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/util/files.hpp>

#include <SQLiteCpp/Backup.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <vector>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

const SchemaObject* find(const std::vector<SchemaObject>& objects, std::string_view name) {
  const auto found =
      std::find_if(objects.begin(), objects.end(),
                   [name](const SchemaObject& object) { return object.name == name; });
  return found == objects.end() ? nullptr : &*found;
}

// Another text than testmon's could mean other columns: nothing is rewritten then.
void require_testmon_schema(SQLite::Database& database, const std::vector<SchemaObject>& objects,
                            const fs::path& file) {
  SQLite::Statement query(database, "SELECT sql FROM sqlite_schema WHERE name = ?");
  for (const SchemaObject& object : objects) {
    query.bind(1, std::string(object.name));
    if (!query.executeStep() || query.getColumn(0).getString() != object.sql) {
      throw DamagedFile(
          {fmt::format("`{}` in the data file is not as testmon makes it", object.name),
           file.string(),
           "The file is not converted; `testmon-precreate prepare --rebuild` moves "
           "it aside"});
    }
    query.reset();
  }
}

void replace_texts(SQLite::Database& database, const std::vector<SchemaObject>& from,
                   const std::vector<SchemaObject>& to) {
  const int schema_version = database.execAndGet("PRAGMA schema_version").getInt();
  database.exec("PRAGMA writable_schema = ON");
  {
    SQLite::Statement update(database, "UPDATE sqlite_schema SET sql = ? WHERE name = ?");
    for (const SchemaObject& object : from) {
      const SchemaObject* wanted = find(to, object.name);
      if (wanted != nullptr && wanted->sql != object.sql) {
        update.bind(1, std::string(wanted->sql));
        update.bind(2, std::string(object.name));
        update.exec();
        update.reset();
      }
    }
  }
  // Other connections, and this one, must read the schema again.
  database.exec(fmt::format("PRAGMA schema_version = {}", schema_version + 1));
  database.exec("PRAGMA writable_schema = RESET");
}

// Returns whether there was anything to do.
bool drop_and_create(SQLite::Database& database, const std::vector<SchemaObject>& from,
                     const std::vector<SchemaObject>& to) {
  bool changed = false;
  for (const SchemaObject& object : from) {
    if (find(to, object.name) == nullptr && object.sql.starts_with("CREATE TABLE")) {
      database.exec(fmt::format("DROP TABLE {}", object.name)); // its indexes go with it
      changed = true;
    }
  }
  for (const SchemaObject& object : to) {
    if (find(from, object.name) == nullptr) {
      database.exec(std::string(object.sql));
      changed = true;
    }
  }
  return changed;
}

} // namespace

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

void change_data_version(SQLite::Database& database, int from, int to, const fs::path& file) {
  const auto objects_from = schema_objects(from);
  const auto objects_to = schema_objects(to);
  require_testmon_schema(database, objects_from, file);
  replace_texts(database, objects_from, objects_to);
  const bool tables_changed = drop_and_create(database, objects_from, objects_to);
  set_data_version(database, to);
  require_foreign_keys(database, file);
  require_integrity(database, file, tables_changed ? WhatToCheck::everything : WhatToCheck::schema);
}

std::future<void> check_committed(const fs::path& file, util::Seconds busy_timeout) {
  // By any policy: without threads to be had, it is done when the result is asked for.
  return std::async([file, busy_timeout] {
    SQLite::Database database = open_for_writing(file, busy_timeout);
    require_integrity(database, file);
  });
}

} // namespace testmon_precreate::datafile
