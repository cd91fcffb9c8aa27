#pragma once

#include <testmon_precreate/datafile/statements.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// What testmon's table `environment` keeps, without the id.
struct Environment {
  std::string name;
  std::string system_packages; // third version components dropped
  std::string python_version;

  bool operator==(const Environment&) const = default;
};

// A parked row is out of testmon's sight: its name is stored as a BLOB. testmon looks rows up by
// a Python str, which SQLite binds as TEXT, and TEXT never equals a BLOB
// (https://sqlite.org/datatype3.html, section 4.1): no name that a user can choose finds it.
struct EnvironmentRow {
  std::int64_t id = 0;
  Environment environment;
  bool parked = false;
};

// testmon's table `environment`. Works inside the caller's transaction; every member throws
// SQLite::Exception. Statements are prepared at their first use and kept.
class EnvironmentTable {
public:
  // `database` must outlive the table.
  explicit EnvironmentTable(SQLite::Database& database)
      : database_(database)
      , statements_(database) {}

  // The rows of one name, visible and parked ones, by id.
  [[nodiscard]] std::vector<EnvironmentRow> named(const std::string& name);

  // Every row, by id.
  [[nodiscard]] std::vector<EnvironmentRow> all();

  // Adds visible rows; returns their ids in the same order.
  std::vector<std::int64_t> insert(std::span<const Environment> environments);

  // Renames rows out of testmon's sight, or back. Their tests go with them: these refer to the id.
  void hide(std::span<const std::int64_t> ids);
  void show(std::span<const std::int64_t> ids);

private:
  SQLite::Database& database_;
  Statements statements_;
};

} // namespace testmon_precreate::datafile
