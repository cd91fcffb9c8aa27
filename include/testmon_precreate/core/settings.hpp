#pragma once

#include <testmon_precreate/core/shard.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace testmon_precreate::core {

// What the TESTMON_XDIST_… variables say. Options overwrite single fields afterwards.
struct Settings {
  bool enabled = true;               // TESTMON_XDIST_CONTROLLER_PRECREATION
  bool debug = false;                // TESTMON_XDIST_DEBUG
  util::Seconds worker_timeout{30};  // TESTMON_XDIST_WORKER_TIMEOUT, >= 0
  util::Seconds check_interval{0.1}; // TESTMON_XDIST_CHECK_INTERVAL, > 0
  double backoff_factor = 1.5;       // TESTMON_XDIST_BACKOFF_FACTOR, > 1
  util::Seconds max_interval{2.0};   // TESTMON_XDIST_MAX_INTERVAL, > 0
  bool notifications = true;         // TESTMON_XDIST_NOTIFICATIONS
  util::Seconds state_max_age{300};  // TESTMON_XDIST_STATE_MAX_AGE; 0: never stale
  bool fixed_workers = false;        // TESTMON_XDIST_WORKERS is `fixed`, not `adapt`
  bool own_distribution = false;     // TESTMON_XDIST_OWN_DISTRIBUTION: its version is a dependency
  std::optional<std::filesystem::path> directory; // TESTMON_XDIST_DIR, relative to the rootdir
  std::optional<std::filesystem::path> datafile;  // TESTMON_DATAFILE, relative to the rootdir
  std::optional<Shard> shard;                     // TESTMON_XDIST_SHARD
  std::optional<std::string> worker_id;           // PYTEST_XDIST_WORKER
  std::optional<std::string> run_uid;             // PYTEST_XDIST_TESTRUNUID

  // testmon's data file, relative to the rootdir (get_data_file_path in testmon_core.py).
  [[nodiscard]] std::filesystem::path datafile_path() const;

  // The coordination directory, relative to the rootdir. Unless the variable names one, it lies
  // beside the data file and is named after it, so that runs with different data files share
  // nothing: `.testmon_xdist` for `.testmondata`, `.testmon_xdist-NAME` for a file NAME.
  [[nodiscard]] std::filesystem::path directory_path() const;
};

// Reads every variable above. A variable that is set to nothing counts as not set. Throws
// UsageError, which names the variable, its value and what is accepted.
[[nodiscard]] Settings read_settings(const util::ProcessEnvironment& environment);

// `1 true yes on` and `0 false no off`, any case. Throws UsageError that names `source`.
[[nodiscard]] bool parse_boolean(std::string_view text, std::string_view source);

// A finite decimal number of seconds in [minimum, 1e9]. Throws UsageError that names `source`.
[[nodiscard]] util::Seconds parse_seconds(std::string_view text, std::string_view source,
                                          double minimum = 0);

// The same, but above 0.
[[nodiscard]] util::Seconds parse_positive_seconds(std::string_view text, std::string_view source);

// A number above 1, at most 1e9. Throws UsageError that names `source`.
[[nodiscard]] double parse_backoff_factor(std::string_view text, std::string_view source);

// Checks `[A-Za-z0-9_.-]{1,64}` that does not start with a dot, so that an id cannot name a file
// outside the coordination directory. Throws UsageError.
void check_worker_id(std::string_view id);

} // namespace testmon_precreate::core
