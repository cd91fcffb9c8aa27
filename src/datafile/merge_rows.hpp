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

// Orders environments by what testmon sees of them.
struct ByContent {
  bool operator()(const Environment& left, const Environment& right) const;
};

// Orders environments by what their tests depend on: versions of the project's own distributions
// are left out.
struct ByDependencies {
  bool operator()(const Environment& left, const Environment& right) const;
};

// The own distributions of environments, by some file. Runs without the plugin do not note them.
using OwnDistributions = std::map<Environment, std::string, ByContent>;

// The row of an environment in one of the files.
struct FileRow {
  std::size_t file = 0; // its number
  std::int64_t id = 0;
  bool parked = false;
  util::Seconds parked_at{0};
};

using FileRows = std::map<Environment, std::vector<FileRow>, ByDependencies>;

// Adds what one file has noted. Throws SQLite::Exception.
void add_own_distributions(SQLite::Database& database, OwnDistributions& own);

// Adds the environments of one file. Throws SQLite::Exception.
void add_rows(SQLite::Database& database, std::size_t file, const OwnDistributions& own,
              FileRows& rows);

// The environments of the file that is merged into, by the rule of merge.hpp. Works inside the
// caller's transaction; throws SQLite::Exception.
class TargetRows {
public:
  // `database` must outlive the object.
  TargetRows(SQLite::Database& database, const OwnDistributions& own);

  // Nothing if the target has no such environment. A visible row comes before a parked one.
  [[nodiscard]] std::optional<std::int64_t> find(const Environment& environment) const;

  // Parks what is visible here and in none of the other files, if they show another one of that
  // name.
  void park_outdated(const FileRows& others);

  // Gives the environment's row, if there is one, this package text, which may have other versions
  // of the project's own distributions.
  void take_text_of(const Environment& environment);

  // Makes a row for an environment that the target does not have, or shows its parked one, as the
  // other files ask for. Returns its id; nothing if the target has a row of the same package text
  // whose own distributions are others: testmon's table takes no second one.
  std::optional<std::int64_t> make_ready(const Environment& environment,
                                         const std::vector<FileRow>& others);

private:
  EnvironmentTable environments_;
  Parking parking_;
  std::map<Environment, EnvironmentRow, ByDependencies> rows_;
  std::set<Environment, ByContent> contents_;
  std::set<std::string> visible_; // names
};

} // namespace testmon_precreate::datafile
