#include "testmon_precreate/datafile/datafile.hpp"

#include "shard_mark.hpp"

#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/file_system.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/datafile/upgrade.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <optional>
#include <utility>

#include <unistd.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// What a look at the file says is to be done.
struct Findings {
  int data_version = 0;
  bool without_tables = false;
  ParkingPlan plan;
  std::size_t parked = 0;
  bool is_shards = false; // the last run was a shard's
};

bool is_empty(SQLite::Database& database) {
  return database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
}

Findings look(SQLite::Database& database, const Environment& environment, const fs::path& file) {
  Findings findings;
  findings.data_version = read_data_version(database);
  // testmon, stopped while it made the file, leaves one without tables.
  findings.without_tables = findings.data_version == 0 && is_empty(database);
  if (findings.without_tables) {
    return findings;
  }
  require_known_version(findings.data_version, file);
  const auto rows = EnvironmentTable(database).named(environment.name);
  findings.plan = make_parking_plan(rows, environment);
  findings.parked = static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.parked; }));
  findings.is_shards = has_shard_mark(database);
  return findings;
}

// The work on one file, which is no symbolic link.
class Preparation {
public:
  Preparation(const DatafileRequest& request, fs::path file)
      : request_(request)
      , file_(std::move(file)) {}

  PreparedDatafile run() {
    warn_of_network_file_system();
    if (request_.rebuild) {
      rebuild_if_damaged();
    }
    while (!try_to_prepare()) {
    }
    return result_;
  }

private:
  // Returns false if another process has made the file meanwhile.
  bool try_to_prepare() {
    const Inspection seen = moved_aside_ ? Inspection() : inspect(file_);
    require_sound(seen, file_);
    if (seen.kind == FileKind::absent) {
      return create();
    }
    const std::optional<Findings> findings = look_without_writing(seen);
    if (request_.dry_run || (findings && is_ready(*findings, seen))) {
      report_plan(*findings);
    } else {
      change(seen);
    }
    return true;
  }

  bool create() {
    if (!request_.dry_run) {
      if (!create_datafile(file_, request_.data_version, request_.environment)) {
        return false;
      }
      constexpr std::int64_t first_id = 1;
      result_.environment_id = first_id;
    }
    result_.action = EnvironmentAction::created;
    result_.file_created = true;
    return true;
  }

  // Nothing if only a connection that may write can read the file.
  std::optional<Findings> look_without_writing(const Inspection& seen) {
    if (seen.kind == FileKind::empty) {
      Findings findings;
      findings.without_tables = true;
      return findings;
    }
    try {
      return read_only(file_, seen, request_.busy_timeout, [this](SQLite::Database& database) {
        return look(database, request_.environment, file_);
      });
    } catch (const SQLite::Exception&) {
      const bool needs_recovery = seen.wal_present || !seen.wal_mode;
      if (request_.dry_run || !needs_recovery) {
        throw;
      }
      return std::nullopt;
    }
  }

  [[nodiscard]] bool is_ready(const Findings& findings, const Inspection& seen) const {
    return seen.wal_mode && findings.data_version == request_.data_version &&
           findings.plan.nothing_to_do() && !findings.is_shards &&
           findings.parked <= request_.keep_environments;
  }

  void report_plan(const Findings& findings) {
    const ParkingPlan& plan = findings.plan;
    result_.file_created = findings.without_tables;
    result_.environment_id = plan.matching.value_or(0);
    result_.action = !plan.matching ? EnvironmentAction::created
                     : plan.restore ? EnvironmentAction::restored
                                    : EnvironmentAction::reused;
    result_.packages_changed = plan.packages_changed;
    result_.parked_environments = std::min(
        findings.parked + plan.park.size() - (plan.restore ? 1 : 0), request_.keep_environments);
    if (!findings.without_tables && findings.data_version != request_.data_version) {
      require_upgrade_allowed(findings.data_version);
      result_.upgraded_from = findings.data_version;
    }
  }

  void change(const Inspection& seen) {
    in_transaction(file_, seen, request_.busy_timeout, [this](SQLite::Database& database) {
      // Another process may have been here since the first look.
      Findings findings = look(database, request_.environment, file_);
      result_.file_created = findings.without_tables;
      if (findings.without_tables) {
        create_schema(database, request_.data_version);
      } else if (findings.data_version != request_.data_version) {
        upgrade(database, findings.data_version);
      }
      if (findings.is_shards) {
        remove_shard_mark(database);
      }
      carry_out(database, findings.plan);
      return true;
    });
    if (!seen.wal_mode) {
      switch_to_wal();
    }
  }

  void upgrade(SQLite::Database& database, int from) {
    require_upgrade_allowed(from);
    std::future<void> check = check_committed(file_, request_.busy_timeout);
    if (request_.keep_backup) {
      back_up(file_, from, request_.busy_timeout);
    }
    change_data_version(database, from, request_.data_version, file_);
    check.get();
    result_.upgraded_from = from;
  }

  void require_upgrade_allowed(int from) const {
    if (!request_.allow_upgrade) {
      throw core::DatabaseError(
          {fmt::format("the data file is of data version {}, testmon needs {}", from,
                       request_.data_version),
           file_.string(), "Without --no-upgrade it is converted, after a backup"});
    }
  }

  void carry_out(SQLite::Database& database, ParkingPlan plan) {
    Parking parking(database);
    result_.packages_changed = plan.packages_changed;
    if (plan.restore) {
      result_.action = EnvironmentAction::restored;
    }
    if (!plan.matching) {
      result_.action = EnvironmentAction::created;
      parking.park(plan.park, util::wall_clock_now());
      plan.park.clear();
      plan.matching = EnvironmentTable(database).insert(request_.environment);
    }
    parking.carry_out(plan, request_.environment, util::wall_clock_now());
    result_.environment_id = *plan.matching;
    parking.prune(request_.environment.name, request_.keep_environments);
    result_.parked_environments = parking.parked(request_.environment.name).size();
  }

  // testmon's workers cannot do it: they open the file read-only.
  void switch_to_wal() {
    try {
      SQLite::Database database = open_for_writing(file_, request_.busy_timeout);
      // If it cannot switch, SQLite answers with the mode that stays.
      const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
      if (mode != "wal") {
        throw SQLite::Exception("it stays in mode " + mode, SQLITE_ERROR);
      }
    } catch (const SQLite::Exception& error) {
      request_.warn(
          fmt::format("{} could not be switched to WAL mode: {}", file_.string(), error.what()));
    }
  }

  void rebuild_if_damaged() {
    try {
      const Inspection seen = inspect(file_);
      require_sound(seen, file_);
      if (seen.kind == FileKind::database) {
        check_whole_file(seen);
      }
    } catch (const DamagedFile& damage) {
      rebuild(damage);
    }
  }

  void check_whole_file(const Inspection& seen) {
    translating_errors(file_, [&] {
      return read_only(file_, seen, request_.busy_timeout, [this](SQLite::Database& database) {
        static_cast<void>(look(database, request_.environment, file_));
        require_integrity(database, file_);
        return true;
      });
    });
  }

  void rebuild(const DamagedFile& damage) {
    if (request_.dry_run) {
      request_.warn(fmt::format("would be moved aside: {}", damage.what()));
      moved_aside_ = true;
    } else if (const auto aside = move_aside(file_)) {
      request_.warn(fmt::format("moved aside to {}: {}", aside->string(), damage.what()));
    }
  }

  void warn_of_network_file_system() {
    const std::string_view name = network_file_system_of(file_.parent_path());
    if (!name.empty()) {
      request_.warn(fmt::format(
          "{} is on a network file system ({}), where SQLite's WAL mode, which testmon uses, does "
          "not work; TESTMON_DATAFILE can name a local file",
          file_.string(), name));
    }
  }

  const DatafileRequest& request_;
  fs::path file_;
  bool moved_aside_ = false; // in a dry run: would be
  PreparedDatafile result_;
};

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

PreparedDatafile prepare_datafile(const DatafileRequest& request) {
  return translating_errors(
      request.file, [&request] { return Preparation(request, resolve_links(request.file)).run(); });
}

bool can_be_written(const fs::path& file) {
  const auto is_refused = [](const fs::path& path) {
    return ::access(path.c_str(), W_OK) != 0 && (errno == EACCES || errno == EROFS);
  };
  const fs::path target = resolve_links(file);
  // Without a place for a new one, an index of the log that is there will do.
  const bool has_index = ::access(shm_path(target).c_str(), W_OK) == 0;
  return !is_refused(target) && (has_index || !is_refused(target.parent_path()));
}

void truncate_wal(const fs::path& file, util::Seconds busy_timeout) {
  translating_errors(file, [&] {
    const fs::path target = resolve_links(file);
    const Inspection seen = inspect(target);
    if (seen.kind == FileKind::absent || !fs::exists(wal_path(target))) {
      return;
    }
    require_sound(seen, target);
    SQLite::Database database = open_for_writing(target, busy_timeout);
    if (database.execAndGet("PRAGMA wal_checkpoint(TRUNCATE)").getInt() != 0) {
      throw SQLite::Exception("readers are at work", SQLITE_BUSY);
    }
  });
}

} // namespace testmon_precreate::datafile
