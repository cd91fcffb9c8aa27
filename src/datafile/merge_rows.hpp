#pragma once

#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

struct ByContent {
  bool operator()(const Environment& left, const Environment& right) const;
};

// The row of an environment in one of the files.
struct FileRow {
  std::size_t file = 0; // its number
  std::int64_t id = 0;
  bool parked = false;
  util::Seconds parked_at{0};
};

using FileRows = std::map<Environment, std::vector<FileRow>, ByContent>;

// Adds the environments of one file. Throws SQLite::Exception.
void add_rows(SQLite::Database& database, std::size_t file, FileRows& rows);

// The environments of the file that is merged into, by the rule of merge.hpp. Works inside the
// caller's transaction; throws SQLite::Exception.
class TargetRows {
public:
  // `database` must outlive the object.
  explicit TargetRows(SQLite::Database& database);

  // Nothing where the target has no such environment. A visible row comes before a parked one.
  [[nodiscard]] std::optional<std::int64_t> find(const Environment& environment) const;

  // Parks what is visible here and in none of the other files, where they show another one of that
  // name.
  void park_outdated(const FileRows& others);

  // Makes a row for an environment that the target does not have, or shows its parked one, as the
  // other files ask for. Returns its id.
  std::int64_t make_ready(const Environment& environment, const std::vector<FileRow>& others);

private:
  EnvironmentTable environments_;
  Parking parking_;
  std::map<Environment, EnvironmentRow, ByContent> rows_;
  std::set<std::string> visible_; // names
};

} // namespace testmon_precreate::datafile
