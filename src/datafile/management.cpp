#include "testmon_precreate/datafile/management.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/parking.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

const EnvironmentRow& find_row(const std::vector<EnvironmentRow>& rows, std::int64_t id,
                               const fs::path& file) {
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [id](const EnvironmentRow& row) { return row.id == id; });
  if (found == rows.end()) {
    throw core::UsageError({fmt::format("there is no environment {}", id), file.string(),
                            "`testmon-precreate environments` lists them"});
  }
  return *found;
}

// Does `work` on an existing file of a known data version, in one transaction.
template <typename Work>
auto change_environments(const fs::path& file, util::Seconds busy_timeout, Work work) {
  return translating_errors(file, [&] {
    const fs::path target = resolve_links(file);
    const Inspection seen = inspect(target);
    require_sound(seen, target);
    if (seen.kind == FileKind::absent) {
      throw core::DatabaseError({"there is no data file", target.string(), ""});
    }
    return in_transaction(target, seen, busy_timeout, [&](SQLite::Database& database) {
      require_known_version(read_data_version(database), target);
      return work(database);
    });
  });
}

std::vector<ListedEnvironment> list(SQLite::Database& database) {
  SQLite::Statement count(database, "SELECT count(*) FROM test_execution WHERE environment_id = ?");
  Parking parking(database);
  std::vector<ListedEnvironment> listed;
  for (EnvironmentRow& row : EnvironmentTable(database).all()) {
    ListedEnvironment entry;
    count.bind(1, row.id);
    count.executeStep();
    entry.tests = static_cast<std::size_t>(count.getColumn(0).getInt64());
    count.reset();
    if (row.parked) {
      entry.parked_at = parking.parked_at(row.id);
    }
    entry.row = std::move(row);
    listed.push_back(std::move(entry));
  }
  std::stable_sort(listed.begin(), listed.end(), [](const auto& left, const auto& right) {
    return left.row.environment.name < right.row.environment.name;
  });
  return listed;
}

// The visible rows that stand in the way of a parked one.
std::vector<std::int64_t> visible_namesakes(const std::vector<EnvironmentRow>& rows,
                                            const EnvironmentRow& parked, const fs::path& file) {
  std::vector<std::int64_t> ids;
  for (const EnvironmentRow& row : rows) {
    if (row.parked || row.environment.name != parked.environment.name) {
      continue;
    }
    if (row.environment == parked.environment) {
      throw core::UsageError({fmt::format("environment {} has the same packages and Python "
                                          "version, and is in use",
                                          row.id),
                              file.string(), "Park that one to replace this one by it"});
    }
    ids.push_back(row.id);
  }
  return ids;
}

} // namespace

std::vector<ListedEnvironment> list_environments(const fs::path& file, util::Seconds busy_timeout) {
  return read_datafile(file, busy_timeout,
                       [](SQLite::Database& database, int) { return list(database); });
}

std::size_t park_environments(const fs::path& file, std::span<const std::int64_t> ids,
                              util::Seconds busy_timeout) {
  return change_environments(file, busy_timeout, [&](SQLite::Database& database) {
    const auto rows = EnvironmentTable(database).all();
    std::set<std::int64_t> visible;
    for (const std::int64_t id : ids) {
      if (!find_row(rows, id, file).parked) {
        visible.insert(id);
      }
    }
    Parking(database).park(std::vector<std::int64_t>(visible.begin(), visible.end()),
                           util::wall_clock_now());
    return visible.size();
  });
}

bool restore_environment(const fs::path& file, std::int64_t id, util::Seconds busy_timeout) {
  return change_environments(file, busy_timeout, [&](SQLite::Database& database) {
    const auto rows = EnvironmentTable(database).all();
    const EnvironmentRow& wanted = find_row(rows, id, file);
    if (!wanted.parked) {
      return false;
    }
    Parking parking(database);
    parking.park(visible_namesakes(rows, wanted, file), util::wall_clock_now());
    parking.restore(id);
    return true;
  });
}

std::size_t prune_environments(const fs::path& file, const std::optional<std::string>& name,
                               std::size_t keep, util::Seconds busy_timeout) {
  return change_environments(file, busy_timeout, [&](SQLite::Database& database) {
    std::set<std::string> names;
    for (const EnvironmentRow& row : EnvironmentTable(database).all()) {
      if (row.parked && (!name || row.environment.name == *name)) {
        names.insert(row.environment.name);
      }
    }
    Parking parking(database);
    std::size_t gone = 0;
    for (const std::string& each : names) {
      gone += parking.prune(each, keep);
    }
    return gone;
  });
}

} // namespace testmon_precreate::datafile
