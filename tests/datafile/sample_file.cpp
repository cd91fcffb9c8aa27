#include "sample_file.hpp"
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace testmon_precreate::tests {

namespace fs = std::filesystem;

namespace {

// A read-only connection leaves the log and its index behind, even where both are empty.
const int reading = SQLite::OPEN_READWRITE;

} // namespace

datafile::DatafileRequest request_for(const fs::path& file, const std::string& packages) {
  datafile::DatafileRequest request;
  request.file = file;
  request.environment = {"default", packages, "3.11.7"};
  request.data_version = 13;
  return request;
}

void add_tests(const fs::path& file, std::int64_t id, int count) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Transaction transaction(database);
  database.exec("INSERT OR IGNORE INTO file_fp (filename, method_checksums, fsha)"
                " VALUES ('shared.py', X'01', 'shared')");
  const auto shared =
      database.execAndGet("SELECT id FROM file_fp WHERE filename = 'shared.py'").getInt64();
  for (int i = 0; i < count; ++i) {
    database.exec(fmt::format("INSERT INTO test_execution (environment_id, test_name, duration, "
                              "failed, forced) VALUES ({}, 'test_{}.py::test', 0.5, 0, 1)",
                              id, i));
    const auto test = database.getLastInsertRowid();
    database.exec(fmt::format("INSERT INTO file_fp (filename, method_checksums, mtime, fsha)"
                              " VALUES ('test_{}.py', X'0{}', 1.5, 'fsha{}')",
                              i, i % 10, test));
    const auto fingerprint = database.getLastInsertRowid();
    database.exec(fmt::format("INSERT INTO test_execution_file_fp VALUES ({0}, {1}), ({0}, {2})",
                              test, fingerprint, shared));
  }
  transaction.commit();
}

std::vector<std::int64_t> visible_ids(const fs::path& file, const std::string& name) {
  const SQLite::Database database(file, reading);
  SQLite::Statement query(database, "SELECT id FROM environment WHERE environment_name = ?");
  query.bind(1, name);
  std::vector<std::int64_t> ids;
  while (query.executeStep()) {
    ids.push_back(query.getColumn(0).getInt64());
  }
  return ids;
}

std::int64_t number(const fs::path& file, const std::string& query) {
  SQLite::Database database(file, reading);
  return database.execAndGet(query).getInt64();
}

std::string content_of(const fs::path& file) {
  const SQLite::Database database(file, reading);
  std::string content;
  for (const char* table : {"metadata", "environment", "test_execution", "file_fp",
                            "test_execution_file_fp", "suite_execution_file_fsha"}) {
    SQLite::Statement rows(database, fmt::format("SELECT rowid, * FROM {} ORDER BY rowid", table));
    while (rows.executeStep()) {
      content += table;
      for (int i = 0; i < rows.getColumnCount(); ++i) {
        content +=
            fmt::format("|{}:{}", rows.getColumn(i).getType(), rows.getColumn(i).getString());
      }
      content += '\n';
    }
  }
  return content;
}

std::vector<std::string> schema_of(const fs::path& file) {
  const SQLite::Database database(file, reading);
  SQLite::Statement rows(database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL");
  std::vector<std::string> schema;
  while (rows.executeStep()) {
    schema.push_back(rows.getColumn(0).getString());
  }
  return schema;
}

std::string bytes_of(const fs::path& file) {
  constexpr std::size_t most = std::size_t{64} * 1024 * 1024;
  return util::read_file(file, most);
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace testmon_precreate::tests
