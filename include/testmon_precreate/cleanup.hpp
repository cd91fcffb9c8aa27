#pragma once

#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/settings.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace testmon_precreate {

// Everything `cleanup` goes by.
struct CleanupRequest {
  core::Settings settings;
  util::ProcessEnvironment environment;
  std::filesystem::path working_directory; // absolute
  // Nothing: the nearest parent with a coordination directory, else pytest's.
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::string> run_uid; // whose run it is that ends
  std::optional<pid_t> controller_pid;
  // How long the run's workers took to start, for later runs; nothing: it is not known.
  std::optional<util::Seconds> workers_start;
  bool force = false;             // though the controller of another run lives
  bool truncate_wal = true;       // false: the data file stays byte for byte as it is
  util::Seconds busy_timeout{10}; // how long to wait for the data file
  // Called with each warning as soon as it is known; an error may follow.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

struct CleanupReport {
  std::filesystem::path directory;
  bool removed = false;           // whether any coordination file was
  std::filesystem::path datafile; // whose WAL was truncated; empty: there is no data file
};

// Ends a run: removes the coordination files that this program made, a run's private copy of the
// data file among them, merges what runs beside this one have recorded (run_place.hpp), and
// truncates the WAL of the data file (the settings', else the state's, else the rootdir's) if it
// can be written, so that it alone can be cached. Throws CoordinationBusy for a living run of
// another process, CoordinationFileError, DatabaseError and util::Interrupted.
[[nodiscard]] CleanupReport clean_up(const CleanupRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
