#pragma once

#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// What has to happen to the rows of one name so that testmon sees exactly the wanted one.
struct ParkingPlan {
  std::optional<std::int64_t> matching; // the row to be seen; nothing: it has to be inserted
  bool restore = false;                 // the matching row is parked
  bool take_over = false;               // it has not the wanted package text, or no note yet
  bool packages_changed = false;        // testmon would have met another row
  std::vector<std::int64_t> park;       // visible rows that do not match, oldest first

  // Nothing to write: the matching row is the only visible one.
  [[nodiscard]] bool nothing_to_do() const {
    return matching && !restore && !take_over && park.empty();
  }
};

// `rows` are all rows of `wanted.name`, by id. A row with the wanted package text beats one that
// only stands for it, then a visible one a parked one, then the newest wins.
[[nodiscard]] ParkingPlan make_parking_plan(std::span<const EnvironmentRow> rows,
                                            const Environment& wanted);

// A parked row and when it was parked, seconds since the epoch; 0 if that is not known.
struct ParkedRow {
  std::int64_t id = 0;
  util::Seconds parked_at{0};
};

// Parks rows and brings them back. When a row was parked stands in testmon's table `metadata` under
// `testmon-precreate:parked:<id>`. Works inside the caller's transaction; throws
// SQLite::Exception.
class Parking {
public:
  // `database` must outlive the object.
  explicit Parking(SQLite::Database& database)
      : database_(database)
      , environments_(database) {}

  // Hides rows. A row that is parked already under the same three values is older than the
  // visible one and goes, with its tests.
  void park(std::span<const std::int64_t> ids, util::Seconds now);

  void restore(std::int64_t id);

  // Carries out a plan for `wanted`, whose matching row there is: parks, restores, takes over.
  void carry_out(const ParkingPlan& plan, const Environment& wanted, util::Seconds now);

  // When a row was parked, since the epoch; 0 if that is not known.
  [[nodiscard]] util::Seconds parked_at(std::int64_t id);

  // The parked rows of one name, least recently used first.
  [[nodiscard]] std::vector<ParkedRow> parked(const std::string& name);

  // Deletes the least recently used parked rows of `name`, all but `keep`, with their tests and the
  // fingerprints that no test refers to then. Returns how many rows went.
  std::size_t prune(const std::string& name, std::size_t keep);

  // Deletes rows with all that is theirs.
  void remove(std::span<const std::int64_t> ids);

private:
  // The rows that are parked already under the same values.
  [[nodiscard]] std::vector<std::int64_t> superseded_by(std::span<const std::int64_t> ids);
  void forget_bookkeeping(std::int64_t id);

  SQLite::Database& database_;
  EnvironmentTable environments_;
};

} // namespace testmon_precreate::datafile
