#pragma once

#include <testmon_precreate/datafile/data_version.hpp>
#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace testmon_precreate::datafile {

// How the row that testmon will find came to be.
enum class EnvironmentAction { reused, created, restored };

[[nodiscard]] const char* to_string(EnvironmentAction action);

struct DatafileRequest {
  std::filesystem::path file;
  Environment environment;
  int data_version = newest_data_version; // of the testmon that will open the file
  std::size_t keep_environments = 4;      // parked ones per name
  bool allow_upgrade = true;              // false: another data version is a DatabaseError
  bool dry_run = false;                   // reports what would be done, opens nothing for writing
  bool rebuild = false;                   // a damaged file is moved aside and made again
  bool keep_backup = true;                // of a file that is converted to another data version
  // Called with each warning as soon as it is known; an error may follow.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
  util::Seconds busy_timeout{60};
};

struct PreparedDatafile {
  std::int64_t environment_id = 0; // 0 in a dry run that would create the row
  EnvironmentAction action = EnvironmentAction::reused;
  bool packages_changed = false;       // the row of that name was another one before
  std::size_t parked_environments = 0; // of this name, afterwards
  std::optional<int> upgraded_from;    // data version before
  bool file_created = false;
};

// Makes `file` ready for a testmon of `data_version`: the file is complete, and exactly one row of
// the environment's name is visible to testmon, the one that matches. A row that stands for the
// environment under another package text is taken over: it gets the wanted text. What no longer
// matches is parked with its test data. All in one transaction; on any error the file is as before.
// Throws DatabaseError.
[[nodiscard]] PreparedDatafile prepare_datafile(const DatafileRequest& request);

// Whether this process may write to `file`, or create it, with the files that SQLite puts beside
// it. A missing directory counts as writable: it has an error of its own.
[[nodiscard]] bool can_be_written(const std::filesystem::path& file);

// Folds the WAL into the file and truncates it, so that the file alone can be copied.
// Nothing if the file does not exist. Throws DatabaseError.
void truncate_wal(const std::filesystem::path& file, util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
