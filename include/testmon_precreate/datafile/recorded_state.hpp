#pragma once

#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// A row of testmon's table test_execution.
struct RecordedTest {
  std::int64_t id = 0;
  std::string name;
  std::optional<util::Seconds> duration; // nothing: it never ran
  bool failed = false;
};

// A row of testmon's table file_fp.
struct RecordedFingerprint {
  std::int64_t id = 0;
  std::string filename;
  std::string fsha;                      // empty: none
  std::vector<std::int32_t> checksums{}; // of the blocks that it stands for; only of wanted ones
};

// A row of testmon's table test_execution_file_fp, as indices.
struct RecordedDependency {
  std::size_t test = 0;
  std::size_t fingerprint = 0;
};

// What testmon knows of one environment.
struct RecordedState {
  int data_version = 0; // of the file
  EnvironmentRow environment;
  std::vector<RecordedTest> tests;               // of the environment, by id
  std::vector<RecordedFingerprint> fingerprints; // of all environments, by filename
  std::vector<RecordedDependency> dependencies;  // of the environment on wanted fingerprints
};

// What to read of a data file.
struct RecordedStateQuery {
  // Picks the environment among all rows, the parked ones too, by id.
  std::function<std::optional<std::int64_t>(std::span<const EnvironmentRow>)> choose_environment;
  // Picks the fingerprints of which the rest is wanted, as indices. Called when tests and
  // fingerprints are known; again if another process began or ended its work meanwhile.
  std::function<std::vector<std::size_t>(const RecordedState&)> choose_fingerprints;
};

// Reads an environment of `file`, all of it from one moment; nothing if there is no file or
// nothing was chosen. Opens nothing for writing. Throws core::DatabaseError.
[[nodiscard]] std::optional<RecordedState> read_recorded_state(const std::filesystem::path& file,
                                                               const RecordedStateQuery& query,
                                                               util::Seconds busy_timeout);

// What each test took when it ran last, in whatever environment of `file`, the parked ones
// included; nothing if there is no file. Opens nothing for writing. Throws core::DatabaseError.
[[nodiscard]] std::map<std::string, util::Seconds>
read_newest_durations(const std::filesystem::path& file, util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
