#include <testmon_precreate/datafile/environments.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>

namespace testmon_precreate::datafile {

namespace {

// Binds, runs and resets a statement that returns no rows.
template <typename... Values>
void run(SQLite::Statement& statement, const Values&... values) {
  int index = 0;
  (statement.bind(++index, values), ...);
  statement.exec();
  statement.reset();
}

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

struct EnvironmentTable::Statements {
  std::optional<SQLite::Statement> named;
  std::optional<SQLite::Statement> insert;
  std::optional<SQLite::Statement> hide;
  std::optional<SQLite::Statement> show;

  static SQLite::Statement& prepared(std::optional<SQLite::Statement>& statement,
                                     SQLite::Database& database, const char* sql) {
    return statement ? *statement : statement.emplace(database, sql);
  }
};

EnvironmentTable::EnvironmentTable(SQLite::Database& database)
    : database_(database)
    , statements_(std::make_unique<Statements>()) {}

EnvironmentTable::~EnvironmentTable() = default;

std::vector<EnvironmentRow> EnvironmentTable::named(const std::string& name) {
  SQLite::Statement& statement =
      Statements::prepared(statements_->named, database_,
                           "SELECT id, environment_name, system_packages, python_version,"
                           " typeof(environment_name) = 'blob' FROM environment"
                           " WHERE environment_name IN (?1, CAST(?1 AS BLOB)) ORDER BY id");
  statement.bind(1, name);
  return fetch(statement);
}

std::vector<EnvironmentRow> EnvironmentTable::all() {
  SQLite::Statement statement(database_,
                              "SELECT id, environment_name, system_packages, python_version,"
                              " typeof(environment_name) = 'blob' FROM environment ORDER BY id");
  return fetch(statement);
}

std::vector<std::int64_t> EnvironmentTable::insert(std::span<const Environment> environments) {
  SQLite::Statement& statement = Statements::prepared(
      statements_->insert, database_,
      "INSERT INTO environment (environment_name, system_packages, python_version)"
      " VALUES (?, ?, ?)");
  std::vector<std::int64_t> ids;
  ids.reserve(environments.size());
  for (const Environment& environment : environments) {
    run(statement, environment.name, environment.system_packages, environment.python_version);
    ids.push_back(database_.getLastInsertRowid());
  }
  return ids;
}

void EnvironmentTable::hide(std::span<const std::int64_t> ids) {
  SQLite::Statement& statement = Statements::prepared(
      statements_->hide, database_,
      "UPDATE environment SET environment_name = CAST(environment_name AS BLOB) WHERE id = ?");
  for (const std::int64_t id : ids) {
    run(statement, id);
  }
}

void EnvironmentTable::show(std::span<const std::int64_t> ids) {
  SQLite::Statement& statement = Statements::prepared(
      statements_->show, database_,
      "UPDATE environment SET environment_name = CAST(environment_name AS TEXT) WHERE id = ?");
  for (const std::int64_t id : ids) {
    run(statement, id);
  }
}

} // namespace testmon_precreate::datafile
