#pragma once

#include <testmon_precreate/datafile/environments.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace testmon_precreate::datafile {

// One CREATE statement, letter for letter as sqlite_schema keeps it in a file that testmon made.
struct SchemaObject {
  std::string_view name;
  std::string_view sql;
};

// Everything that a testmon of `data_version` creates, in its order.
[[nodiscard]] std::vector<SchemaObject> schema_objects(int data_version);

// Makes all of it in an empty database and sets user_version, inside the caller's transaction.
void create_schema(SQLite::Database& database, int data_version);

// Sets user_version, inside the caller's transaction.
void set_data_version(SQLite::Database& database, int data_version);

// Makes a complete data file that holds one environment, row id 1. It appears at once and whole.
// Returns false if another process has put a file there meanwhile, which then stands.
// Throws std::filesystem::filesystem_error; SQLite::Exception.
[[nodiscard]] bool create_datafile(const std::filesystem::path& file, int data_version,
                                   const Environment& environment);

} // namespace testmon_precreate::datafile
