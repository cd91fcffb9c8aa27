#include <testmon_precreate/datafile/environments.hpp>

#include <utility>

namespace testmon_precreate::datafile {

namespace {

std::vector<EnvironmentRow> fetch(SQLite::Statement& statement) {
  std::vector<EnvironmentRow> rows;
  while (statement.executeStep()) {
    EnvironmentRow row;
    row.id = statement.getColumn(0).getInt64();
    row.environment.name = statement.getColumn(1).getString();
    row.environment.system_packages = statement.getColumn(2).getString();
    row.environment.python_version = statement.getColumn(3).getString();
    row.parked = statement.getColumn(4).getInt() != 0;
    rows.push_back(std::move(row));
  }
  statement.reset();
  return rows;
}

} // namespace

std::vector<EnvironmentRow> EnvironmentTable::named(const std::string& name) {
  SQLite::Statement& statement =
      statements_.get("SELECT id, environment_name, system_packages, python_version,"
                      " typeof(environment_name) = 'blob' FROM environment"
                      " WHERE environment_name IN (?1, CAST(?1 AS BLOB)) ORDER BY id");
  statement.bind(1, name);
  return fetch(statement);
}

std::vector<EnvironmentRow> EnvironmentTable::all() {
  return fetch(statements_.get("SELECT id, environment_name, system_packages, python_version,"
                               " typeof(environment_name) = 'blob' FROM environment ORDER BY id"));
}

std::vector<std::int64_t> EnvironmentTable::insert(std::span<const Environment> environments) {
  std::vector<std::int64_t> ids;
  ids.reserve(environments.size());
  for (const Environment& environment : environments) {
    statements_.run("INSERT INTO environment (environment_name, system_packages, python_version)"
                    " VALUES (?, ?, ?)",
                    environment.name, environment.system_packages, environment.python_version);
    ids.push_back(database_.getLastInsertRowid());
  }
  return ids;
}

void EnvironmentTable::hide(std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) {
    statements_.run(
        "UPDATE environment SET environment_name = CAST(environment_name AS BLOB) WHERE id = ?",
        id);
  }
}

void EnvironmentTable::show(std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) {
    statements_.run(
        "UPDATE environment SET environment_name = CAST(environment_name AS TEXT) WHERE id = ?",
        id);
  }
}

} // namespace testmon_precreate::datafile
