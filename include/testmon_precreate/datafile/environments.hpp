#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// What testmon's table `environment` keeps, without the id; and what it does not keep.
struct Environment {
  std::string name;
  std::string system_packages; // third version components dropped
  std::string python_version;
  // `NAME HASH, NAME HASH`: the project's own distributions. Their versions are in system_packages,
  // as testmon puts them there, but are no dependency; the hash stands for what of each is one
  // after all. Empty: there are none, or it is not known, as of rows that stock testmon made.
  std::string own_distributions{};

  // Whether testmon sees the same.
  friend bool operator==(const Environment& left, const Environment& right) {
    return left.name == right.name && left.system_packages == right.system_packages &&
           left.python_version == right.python_version;
  }
};

// What tests of the environment depend on: its package text without the versions of its own
// distributions, and these with their hashes. If it has none or they are not known: the text.
[[nodiscard]] std::string dependencies(const Environment& environment);

// Whether tests that ran in `recorded` need not run again for being run in `wanted`: the two differ
// in nothing but versions of the wanted one's own distributions. If `recorded` does not know its
// own ones, they are taken to be the same.
[[nodiscard]] bool stands_for(const Environment& recorded, const Environment& wanted);

// A parked row is hidden from testmon: its name is stored as a BLOB. testmon looks rows up by
// a Python str, which SQLite binds as TEXT, and TEXT never equals a BLOB
// (https://sqlite.org/datatype3.html, section 4.1): no name that a user can choose finds it.
struct EnvironmentRow {
  std::int64_t id = 0;
  Environment environment;
  bool parked = false;
};

// testmon's table `environment`. Works inside the caller's transaction; every member throws
// SQLite::Exception.
class EnvironmentTable {
public:
  // `database` must outlive the table.
  explicit EnvironmentTable(SQLite::Database& database)
      : database_(database) {}

  // The rows of one name, visible and parked ones, by id.
  [[nodiscard]] std::vector<EnvironmentRow> named(const std::string& name);

  // Every row, by id.
  [[nodiscard]] std::vector<EnvironmentRow> all();

  // Adds a visible row, with a note of its own distributions; returns its id.
  std::int64_t insert(const Environment& environment);

  // Hides a row from testmon by renaming it, or shows it again. Its tests go with it: these refer
  // to the id.
  void hide(std::int64_t id);
  void show(std::int64_t id);

  // Gives a row another package text.
  void rename(std::int64_t id, const std::string& system_packages);

  // Notes the own distributions of a row, in testmon's table `metadata` under
  // `testmon-precreate:own:<id>`, together with the row's package text: testmon may give the id of
  // a row that it deleted to another one. If there are none, the note goes.
  void note_own_distributions(std::int64_t id, const Environment& environment);

private:
  SQLite::Database& database_;
};

} // namespace testmon_precreate::datafile
