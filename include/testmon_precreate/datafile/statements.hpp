#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <SQLiteCpp/VariadicBind.h>

#include <string>

namespace testmon_precreate::datafile {

// Binds `values` to the statement `sql` and runs it; it returns no rows. Throws SQLite::Exception.
template <typename... Values>
void run(SQLite::Database& database, const std::string& sql, const Values&... values) {
  SQLite::Statement statement(database, sql);
  SQLite::bind(statement, values...);
  statement.exec();
}

} // namespace testmon_precreate::datafile
