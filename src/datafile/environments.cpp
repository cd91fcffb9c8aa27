#include "testmon_precreate/datafile/environments.hpp"
#include <testmon_precreate/datafile/statements.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace testmon_precreate::datafile {

namespace {

// The columns of EnvironmentRow, of which the last is the note as it stands in `metadata`.
constexpr const char* select_rows =
    "SELECT id, environment_name, system_packages, python_version,"
    " typeof(environment_name) = 'blob',"
    " (SELECT data FROM metadata WHERE dataid = 'testmon-precreate:own:' || id) FROM environment";

// The entries `NAME VALUE` of a text in which they are separated by commas.
std::set<std::string_view> entries_of(std::string_view text) {
  constexpr std::string_view separator = ", ";
  std::set<std::string_view> entries;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(separator));
    entries.insert(entry);
    text.remove_prefix(std::min(text.size(), entry.size() + separator.size()));
  }
  return entries;
}

std::string_view name_in(std::string_view entry) { return entry.substr(0, entry.rfind(' ')); }

// The packages, those of `names` without their versions.
std::set<std::string_view> without_versions(std::string_view packages,
                                            const std::set<std::string_view>& names) {
  std::set<std::string_view> entries;
  for (const std::string_view entry : entries_of(packages)) {
    entries.insert(names.contains(name_in(entry)) ? name_in(entry) : entry);
  }
  return entries;
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
    const std::string note = statement.getColumn(5).getString();
    if (const std::string packages = row.environment.system_packages + '\n';
        note.starts_with(packages)) {
      row.environment.own_distributions = note.substr(packages.size());
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

} // namespace

std::string dependencies(const Environment& environment) {
  if (environment.own_distributions.empty()) {
    return environment.system_packages;
  }
  std::set<std::string_view> own;
  for (const std::string_view entry : entries_of(environment.own_distributions)) {
    own.insert(name_in(entry));
  }
  return fmt::format("{}\n{}", fmt::join(without_versions(environment.system_packages, own), ", "),
                     environment.own_distributions);
}

bool stands_for(const Environment& recorded, const Environment& wanted) {
  if (wanted.own_distributions.empty()) {
    return recorded == wanted;
  }
  Environment known = recorded;
  if (known.own_distributions.empty()) {
    known.own_distributions = wanted.own_distributions;
  }
  return known.name == wanted.name && known.python_version == wanted.python_version &&
         dependencies(known) == dependencies(wanted);
}

std::vector<EnvironmentRow> EnvironmentTable::named(const std::string& name) {
  SQLite::Statement statement(database_,
                              std::string(select_rows) +
                                  " WHERE environment_name IN (?1, CAST(?1 AS BLOB)) ORDER BY id");
  statement.bind(1, name);
  return fetch(statement);
}

std::vector<EnvironmentRow> EnvironmentTable::all() {
  SQLite::Statement statement(database_, std::string(select_rows) + " ORDER BY id");
  return fetch(statement);
}

std::int64_t EnvironmentTable::insert(const Environment& environment) {
  run(database_,
      "INSERT INTO environment (environment_name, system_packages, python_version)"
      " VALUES (?, ?, ?)",
      environment.name, environment.system_packages, environment.python_version);
  const std::int64_t id = database_.getLastInsertRowid();
  note_own_distributions(id, environment);
  return id;
}

void EnvironmentTable::hide(std::int64_t id) {
  run(database_,
      "UPDATE environment SET environment_name = CAST(environment_name AS BLOB) WHERE id = ?", id);
}

void EnvironmentTable::show(std::int64_t id) {
  run(database_,
      "UPDATE environment SET environment_name = CAST(environment_name AS TEXT) WHERE id = ?", id);
}

void EnvironmentTable::rename(std::int64_t id, const std::string& system_packages) {
  run(database_, "UPDATE environment SET system_packages = ? WHERE id = ?", system_packages, id);
}

void EnvironmentTable::note_own_distributions(std::int64_t id, const Environment& environment) {
  if (environment.own_distributions.empty()) {
    run(database_, "DELETE FROM metadata WHERE dataid = 'testmon-precreate:own:' || ?", id);
  } else {
    run(database_,
        "INSERT OR REPLACE INTO metadata (dataid, data)"
        " VALUES ('testmon-precreate:own:' || ?, ?)",
        id, environment.system_packages + '\n' + environment.own_distributions);
  }
}

} // namespace testmon_precreate::datafile
