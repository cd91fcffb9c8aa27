#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>

namespace testmon_precreate::datafile {

// The statements of one connection, each prepared once, at its first use.
class Statements {
public:
  // `database` must outlive the object.
  explicit Statements(SQLite::Database& database)
      : database_(database) {}

  // The statement `sql`, reset. Throws SQLite::Exception.
  [[nodiscard]] SQLite::Statement& get(const std::string& sql) {
    const auto found = prepared_.find(sql);
    if (found == prepared_.end()) {
      return prepared_.try_emplace(sql, database_, sql).first->second;
    }
    found->second.reset();
    return found->second;
  }

  // Binds `values` to the statement `sql` and runs it; it returns no rows.
  template <typename... Values>
  void run(const std::string& sql, const Values&... values) {
    SQLite::Statement& statement = get(sql);
    int index = 0;
    (statement.bind(++index, values), ...);
    statement.exec();
    statement.reset(); // an open statement would keep a transaction from ending
  }

private:
  SQLite::Database& database_;
  std::map<std::string, SQLite::Statement> prepared_;
};

} // namespace testmon_precreate::datafile
