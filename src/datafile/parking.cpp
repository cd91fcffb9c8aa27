#include "testmon_precreate/datafile/parking.hpp"
#include <testmon_precreate/datafile/statements.hpp>

#include <fmt/format.h>

#include <tuple>

namespace testmon_precreate::datafile {

namespace {

std::string key_of(std::int64_t id) { return fmt::format("testmon-precreate:parked:{}", id); }

} // namespace

ParkingPlan make_parking_plan(std::span<const EnvironmentRow> rows, const Environment& wanted) {
  const auto rank = [&wanted](const EnvironmentRow& row) {
    return std::tuple(row.environment == wanted, !row.parked, row.id);
  };
  const EnvironmentRow* best = nullptr;
  for (const EnvironmentRow& row : rows) {
    if (stands_for(row.environment, wanted) && (best == nullptr || rank(row) > rank(*best))) {
      best = &row;
    }
  }
  ParkingPlan plan;
  if (best != nullptr) {
    plan.matching = best->id;
    plan.restore = best->parked;
    plan.take_over = best->environment != wanted ||
                     (!wanted.own_distributions.empty() &&
                      best->environment.own_distributions != wanted.own_distributions);
  }
  for (const EnvironmentRow& row : rows) {
    if (!row.parked && &row != best) {
      plan.park.push_back(row.id);
    }
  }
  plan.packages_changed = !plan.park.empty() && (!plan.matching || plan.restore);
  return plan;
}

std::vector<std::int64_t> Parking::superseded_by(std::span<const std::int64_t> ids) {
  SQLite::Statement query(database_, "SELECT old.id FROM environment AS new JOIN environment AS old"
                                     " ON old.environment_name = CAST(new.environment_name AS BLOB)"
                                     " AND old.system_packages = new.system_packages"
                                     " AND old.python_version = new.python_version"
                                     " WHERE new.id = ?1 AND old.id <> ?1");
  std::vector<std::int64_t> found;
  for (const std::int64_t id : ids) {
    query.bind(1, id);
    while (query.executeStep()) {
      found.push_back(query.getColumn(0).getInt64());
    }
    query.reset();
  }
  return found;
}

void Parking::park(std::span<const std::int64_t> ids, util::Seconds now) {
  remove(superseded_by(ids));
  for (const std::int64_t id : ids) {
    environments_.hide(id);
    run(database_, "INSERT OR REPLACE INTO metadata (dataid, data) VALUES (?, ?)", key_of(id),
        fmt::format("{:.6f}", now.count()));
  }
}

void Parking::restore(std::int64_t id) {
  environments_.show(id);
  forget_bookkeeping(id);
}

void Parking::carry_out(const ParkingPlan& plan, const Environment& wanted, util::Seconds now) {
  const std::int64_t id = *plan.matching;
  if (plan.restore || plan.take_over) {
    // Out of the way of a row with the same text that is parked now.
    environments_.rename(id, fmt::format("testmon-precreate:{}", id));
  }
  park(plan.park, now);
  if (plan.restore) {
    restore(id);
  }
  if (plan.restore || plan.take_over) {
    environments_.rename(id, wanted.system_packages);
    environments_.note_own_distributions(id, wanted);
  }
}

void Parking::forget_bookkeeping(std::int64_t id) {
  run(database_, "DELETE FROM metadata WHERE dataid = ?", key_of(id));
}

util::Seconds Parking::parked_at(std::int64_t id) {
  SQLite::Statement query(database_, "SELECT CAST(data AS REAL) FROM metadata WHERE dataid = ?");
  query.bind(1, key_of(id));
  return util::Seconds(query.executeStep() ? query.getColumn(0).getDouble() : 0);
}

std::vector<ParkedRow> Parking::parked(const std::string& name) {
  // Rows parked at the same moment were found together: the higher id is the younger one.
  SQLite::Statement query(
      database_, "SELECT e.id, coalesce(CAST(m.data AS REAL), 0) AS parked_at FROM environment e"
                 " LEFT JOIN metadata m ON m.dataid = 'testmon-precreate:parked:' || e.id"
                 " WHERE e.environment_name = CAST(? AS BLOB) ORDER BY parked_at, e.id");
  query.bind(1, name);
  std::vector<ParkedRow> rows;
  while (query.executeStep()) {
    rows.push_back({query.getColumn(0).getInt64(), util::Seconds(query.getColumn(1).getDouble())});
  }
  return rows;
}

std::size_t Parking::prune(const std::string& name, std::size_t keep) {
  const std::vector<ParkedRow> rows = parked(name);
  if (rows.size() <= keep) {
    return 0;
  }
  std::vector<std::int64_t> gone;
  for (std::size_t i = 0; i < rows.size() - keep; ++i) {
    gone.push_back(rows[i].id);
  }
  remove(gone);
  return gone.size();
}

void Parking::remove(std::span<const std::int64_t> ids) {
  if (ids.empty()) {
    return;
  }
  for (const std::int64_t id : ids) {
    run(database_,
        "DELETE FROM test_execution_file_fp WHERE test_execution_id IN"
        " (SELECT id FROM test_execution WHERE environment_id = ?)",
        id);
    run(database_, "DELETE FROM test_execution WHERE environment_id = ?", id);
    run(database_, "DELETE FROM environment WHERE id = ?", id);
    forget_bookkeeping(id);
    environments_.note_own_distributions(id, {});
  }
  // testmon's own statement at the end of each run (DB.vacuum_file_fp).
  run(database_, "DELETE FROM file_fp WHERE id NOT IN"
                 " (SELECT DISTINCT fingerprint_id FROM test_execution_file_fp)");
}

} // namespace testmon_precreate::datafile
