#include "merge_sample.hpp"
#include <testmon_precreate/datafile/schema.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace testmon_precreate::tests {

namespace fs = std::filesystem;
using datafile::Environment;
using datafile::MergeRequest;

namespace {

void bind(SQLite::Statement& statement, int index, const auto& optional) {
  optional ? statement.bind(index, *optional) : statement.bind(index);
}

std::int64_t write_fingerprint(SQLite::Database& database, const Fingerprint& fingerprint) {
  SQLite::Statement query(database, "SELECT id FROM file_fp WHERE filename = ? AND fsha IS ?"
                                    " AND method_checksums IS ?");
  SQLite::Statement insert(database, "INSERT INTO file_fp (filename, fsha, method_checksums)"
                                     " VALUES (?, ?, ?)");
  for (SQLite::Statement* statement : {&query, &insert}) {
    statement->bind(1, fingerprint.filename);
    bind(*statement, 2, fingerprint.fsha);
    // Not null: SQLite takes an empty BLOB at a null pointer for NULL.
    statement->bind(3, fingerprint.checksums.c_str(),
                    static_cast<int>(fingerprint.checksums.size()));
  }
  if (query.executeStep()) {
    return query.getColumn(0).getInt64();
  }
  insert.exec();
  return database.getLastInsertRowid();
}

void write_test(SQLite::Database& database, std::int64_t environment, const std::string& name,
                const Test& test) {
  SQLite::Statement insert(database, "INSERT INTO test_execution (environment_id, test_name,"
                                     " duration, failed, forced) VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, environment);
  insert.bind(2, name);
  bind(insert, 3, test.duration);
  insert.bind(4, test.failed ? 1 : 0);
  bind(insert, 5, test.forced);
  insert.exec();
  const auto id = database.getLastInsertRowid();
  for (const Fingerprint& fingerprint : test.fingerprints) {
    const auto fingerprint_id = write_fingerprint(database, fingerprint);
    database.exec(
        fmt::format("INSERT INTO test_execution_file_fp VALUES ({}, {})", id, fingerprint_id));
  }
}

} // namespace

Test placeholder() {
  return {
      .duration = {}, .failed = false, .forced = {}, .fingerprints = {{"test_a.py", {}, "0mat"}}};
}

void write(const fs::path& file, const Environment& environment, const Tests& tests,
           int data_version) {
  static_cast<void>(datafile::create_datafile(file, data_version, environment));
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  database.exec("PRAGMA synchronous = OFF");
  const SQLite::Transaction rolled_back_on_errors(database);
  std::int64_t id = 0;
  for (const auto& row : datafile::EnvironmentTable(database).named(environment.name)) {
    id = row.environment == environment ? row.id : id;
  }
  if (id == 0) {
    id = datafile::EnvironmentTable(database).insert(environment);
  }
  for (const auto& [name, test] : tests) {
    write_test(database, id, name, test);
  }
  database.exec("COMMIT");
}

Content read(const fs::path& file) {
  const SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement rows(
      database,
      "SELECT CAST(environment_name AS TEXT), system_packages, python_version, test_name, duration,"
      " failed, forced, filename, fsha, method_checksums FROM environment e"
      " LEFT JOIN test_execution t ON environment_id = e.id"
      " LEFT JOIN test_execution_file_fp ON test_execution_id = t.id"
      " LEFT JOIN file_fp f ON f.id = fingerprint_id");
  Content content;
  while (rows.executeStep()) {
    Tests& tests = content[{rows.getColumn(0).getString(), rows.getColumn(1).getString(),
                            rows.getColumn(2).getString()}];
    if (rows.getColumn(3).isNull()) {
      continue;
    }
    Test& test = tests[rows.getColumn(3).getString()];
    if (!rows.getColumn(4).isNull()) {
      test.duration = rows.getColumn(4).getDouble();
    }
    test.failed = rows.getColumn(5).getInt() != 0;
    if (!rows.getColumn(6).isNull()) {
      test.forced = rows.getColumn(6).getInt();
    }
    if (!rows.getColumn(7).isNull()) {
      const auto fsha = rows.getColumn(8);
      test.fingerprints.insert({rows.getColumn(7).getString(),
                                fsha.isNull() ? std::nullopt : std::optional(fsha.getString()),
                                rows.getColumn(9).getString()});
    }
  }
  return content;
}

MergeRequest merge_request(const fs::path& target, std::vector<fs::path> inputs) {
  MergeRequest request;
  request.inputs = std::move(inputs);
  request.target = target;
  request.busy_timeout = util::Seconds(5);
  return request;
}

void write_counter(const fs::path& file, const std::string& key, const std::string& value) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement insert(database, "INSERT OR REPLACE INTO metadata VALUES (?, ?)");
  insert.bind(1, key);
  insert.bind(2, value);
  insert.exec();
}

std::string counter(const fs::path& file, const std::string& key) {
  const SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement query(database, "SELECT data FROM metadata WHERE dataid = ?");
  query.bind(1, key);
  return query.executeStep() ? query.getColumn(0).getString() : "";
}

} // namespace testmon_precreate::tests
