#include <testmon_precreate/datafile/parking.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

namespace testmon_precreate::datafile {

namespace {

std::string key_of(std::int64_t id) { return fmt::format("testmon-precreate:parked:{}", id); }

// Runs one statement for each id.
void run_for_each(SQLite::Database& database, const char* sql, std::span<const std::int64_t> ids) {
  SQLite::Statement statement(database, sql);
  for (const std::int64_t id : ids) {
    statement.bind(1, id);
    statement.exec();
    statement.reset();
  }
}

void forget_bookkeeping(SQLite::Database& database, std::span<const std::int64_t> ids) {
  SQLite::Statement statement(database, "DELETE FROM metadata WHERE dataid = ?");
  for (const std::int64_t id : ids) {
    statement.bind(1, key_of(id));
    statement.exec();
    statement.reset();
  }
}

} // namespace

ParkingPlan make_parking_plan(std::span<const EnvironmentRow> rows, const Environment& wanted) {
  ParkingPlan plan;
  for (const EnvironmentRow& row : rows) {
    const bool matches = row.environment == wanted;
    if (!row.parked && matches) {
      plan.matching = row.id;
      plan.restore = false;
    } else if (!row.parked) {
      plan.park.push_back(row.id);
    } else if (matches && !plan.matching) {
      plan.matching = row.id;
      plan.restore = true;
    }
  }
  plan.packages_changed = !plan.park.empty() && (!plan.matching || plan.restore);
  return plan;
}

Parking::Parking(SQLite::Database& database)
    : database_(database)
    , environments_(database) {}

void Parking::park(std::span<const std::int64_t> ids, util::Seconds now) {
  SQLite::Statement superseded(
      database_, "SELECT old.id FROM environment AS new JOIN environment AS old"
                 " ON old.environment_name = CAST(new.environment_name AS BLOB)"
                 " AND old.system_packages = new.system_packages"
                 " AND old.python_version = new.python_version WHERE new.id = ? AND old.id <> ?1");
  std::vector<std::int64_t> gone;
  for (const std::int64_t id : ids) {
    superseded.bind(1, id);
    while (superseded.executeStep()) {
      gone.push_back(superseded.getColumn(0).getInt64());
    }
    superseded.reset();
  }
  if (!gone.empty()) {
    remove(gone);
  }
  environments_.hide(ids);
  SQLite::Statement note(database_, "INSERT OR REPLACE INTO metadata (dataid, data) VALUES (?, ?)");
  for (const std::int64_t id : ids) {
    note.bind(1, key_of(id));
    note.bind(2, fmt::format("{:.6f}", now.count()));
    note.exec();
    note.reset();
  }
}

void Parking::restore(std::int64_t id) {
  const std::span<const std::int64_t> ids(&id, 1);
  environments_.show(ids);
  forget_bookkeeping(database_, ids);
}

util::Seconds Parking::parked_at(std::int64_t id) {
  SQLite::Statement query(database_, "SELECT CAST(data AS REAL) FROM metadata WHERE dataid = ?");
  query.bind(1, key_of(id));
  return util::Seconds(query.executeStep() ? query.getColumn(0).getDouble() : 0);
}

std::vector<ParkedRow> Parking::parked(const std::string& name) {
  // Rows parked at the same moment were found together: the higher id is the younger one.
  SQLite::Statement statement(
      database_, "SELECT e.id, coalesce(CAST(m.data AS REAL), 0) AS parked_at FROM environment e"
                 " LEFT JOIN metadata m ON m.dataid = 'testmon-precreate:parked:' || e.id"
                 " WHERE e.environment_name = CAST(? AS BLOB) ORDER BY parked_at, e.id");
  statement.bind(1, name);
  std::vector<ParkedRow> rows;
  while (statement.executeStep()) {
    rows.push_back(
        {statement.getColumn(0).getInt64(), util::Seconds(statement.getColumn(1).getDouble())});
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
  run_for_each(database_,
               "DELETE FROM test_execution_file_fp WHERE test_execution_id IN"
               " (SELECT id FROM test_execution WHERE environment_id = ?)",
               ids);
  run_for_each(database_, "DELETE FROM test_execution WHERE environment_id = ?", ids);
  run_for_each(database_, "DELETE FROM environment WHERE id = ?", ids);
  forget_bookkeeping(database_, ids);
  // testmon's own statement at the end of each run (DB.vacuum_file_fp).
  database_.exec("DELETE FROM file_fp WHERE id NOT IN"
                 " (SELECT DISTINCT fingerprint_id FROM test_execution_file_fp)");
}

} // namespace testmon_precreate::datafile
