#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/creation.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/datafile/schema.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

std::size_t count_parked(const std::vector<EnvironmentRow>& rows) {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.parked; }));
}

// Looks without writing anything: the whole work where the matching row is the only visible one.
// Nothing where something has to be written.
std::optional<PreparedDatafile> find_ready(const PrepareRequest& request, const fs::path& file,
                                           const Inspection& seen) {
  if (!seen.wal_mode) {
    return std::nullopt;
  }
  SQLite::Database database = open_for_reading(file, seen);
  if (read_data_version(database) != request.data_version) {
    return std::nullopt;
  }
  const auto rows = EnvironmentTable(database).named(request.environment.name);
  const ParkingPlan plan = make_parking_plan(rows, request.environment);
  if (!plan.nothing_to_do()) {
    return std::nullopt;
  }
  PreparedDatafile prepared;
  prepared.environment_id = *plan.matching;
  prepared.parked_environments = count_parked(rows);
  return prepared;
}

// Carries a plan out, inside the caller's transaction.
PreparedDatafile carry_out(SQLite::Database& database, const ParkingPlan& plan,
                           const PrepareRequest& request) {
  PreparedDatafile prepared;
  prepared.packages_changed = plan.packages_changed;
  Parking parking(database);
  parking.park(plan.park, util::wall_clock_now());
  if (!plan.matching) {
    prepared.action = EnvironmentAction::created;
    prepared.environment_id = EnvironmentTable(database).insert({&request.environment, 1}).front();
  } else {
    prepared.environment_id = *plan.matching;
    if (plan.restore) {
      prepared.action = EnvironmentAction::restored;
      parking.restore(*plan.matching);
    }
  }
  parking.prune(request.environment.name, request.keep_environments);
  prepared.parked_environments = parking.parked(request.environment.name).size();
  return prepared;
}

PreparedDatafile change(const PrepareRequest& request, const fs::path& file) {
  SQLite::Database database = open_for_writing(file, request.busy_timeout);
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const int found = read_data_version(database);
  require_known_version(found, file);
  if (found != request.data_version) {
    throw core::DatabaseError({"the data file is of another data version", file.string(), ""});
  }
  const ParkingPlan plan = make_parking_plan(
      EnvironmentTable(database).named(request.environment.name), request.environment);
  PreparedDatafile prepared = carry_out(database, plan, request);
  transaction.commit();
  return prepared;
}

PreparedDatafile prepare(const PrepareRequest& request, const fs::path& file) {
  while (true) {
    const Inspection seen = inspect(file);
    require_sound(seen, file);
    if (seen.kind == FileKind::absent) {
      if (create_datafile(file, request.data_version, request.environment)) {
        PreparedDatafile prepared;
        prepared.environment_id = 1;
        prepared.action = EnvironmentAction::created;
        prepared.file_created = true;
        return prepared;
      }
      continue; // another process was faster
    }
    if (auto ready = find_ready(request, file, seen)) {
      return *std::move(ready);
    }
    return change(request, file);
  }
}

} // namespace

const char* to_string(EnvironmentAction action) {
  switch (action) {
  case EnvironmentAction::reused:
    return "reused";
  case EnvironmentAction::created:
    return "created";
  case EnvironmentAction::restored:
    return "restored";
  }
  return "unknown";
}

PreparedDatafile prepare_datafile(const PrepareRequest& request) {
  try {
    return prepare(request, resolve_links(request.file));
  } catch (const SQLite::Exception& error) {
    throw_translated(error, request.file, request.busy_timeout);
  } catch (const fs::filesystem_error& error) {
    throw_translated(error, request.file);
  }
}

void truncate_wal(const fs::path& file, util::Seconds busy_timeout) {
  try {
    const fs::path target = resolve_links(file);
    if (!fs::exists(target) || !fs::exists(wal_path(target))) {
      return;
    }
    SQLite::Database database = open_for_writing(target, busy_timeout);
    SQLite::Statement checkpoint(database, "PRAGMA wal_checkpoint(TRUNCATE)");
    checkpoint.executeStep();
    if (checkpoint.getColumn(0).getInt() != 0) {
      throw SQLite::Exception("database is locked", 5);
    }
  } catch (const SQLite::Exception& error) {
    throw_translated(error, file, busy_timeout);
  } catch (const fs::filesystem_error& error) {
    throw_translated(error, file);
  }
}

} // namespace testmon_precreate::datafile
