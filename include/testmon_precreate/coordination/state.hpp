#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

namespace testmon_precreate::coordination {

inline constexpr int schema_version = 1;

// A state file that is larger is refused unread: 15,000 packages fit in.
inline constexpr std::size_t largest_state = 1024UL * 1024;

// How a reader judges whether a state's run is still in progress.
enum class Liveness {
  process, // the controller process lives on this host and boot
  age      // no controller is known: only the age counts
};

// What the controller tells its workers; the content of controller_ready.json.
struct CoordinationState {
  double timestamp = 0; // seconds since the epoch
  pid_t controller_pid = 0;
  double controller_start_time = 0; // seconds since the epoch, for people
  // Clock ticks since the boot, for comparison; if they are missing (a state of another writer),
  // the start time is compared.
  std::optional<std::uint64_t> controller_start_ticks;
  std::string pid_namespace; // in which controller_pid counts; empty: not known
  Liveness liveness = Liveness::age;
  std::string hostname;
  std::string boot_id;
  std::optional<std::string> run_uid;
  std::string rootdir;
  std::string database_path;
  std::string coordination_directory; // that holds this state; empty: not known
  bool private_copy = false;          // database_path is this run's own copy of the data file
  int data_version = 0;
  std::string testmon_version;
  std::int64_t environment_id = 0;
  std::string environment_name;
  std::string python_version;
  std::string system_packages;
  std::string system_packages_full;
  std::string environment_action; // reused, created or restored
  bool packages_changed = false;
  bool file_created = false; // the data file was not there, or had no tables
  int expected_workers = 0;  // 0: not known, or none
  // Whether expected_workers is how many of asked_workers pay off, and why so many, for people.
  int asked_workers = 0; // 0: as many as asked for
  std::string workers_because;

  struct PrecreatedEntries {
    std::size_t test_file_count = 0;
    std::string test_files_path; // relative to the rootdir
    std::size_t parked_environments = 0;
    std::optional<int> upgraded_from; // data version before
  } precreated_entries;
};

// The state as a JSON object; strings as json_text.hpp has them.
[[nodiscard]] nlohmann::ordered_json to_json_value(const CoordinationState& state);

// The state as JSON, indented, ending in a newline. Bytes that are not UTF-8 are kept: they are
// written as lone surrogates are by Python's surrogateescape.
[[nodiscard]] std::string to_json(const CoordinationState& state);

// Throws InvalidCoordinationState that names `source` and what is wrong: no JSON, an unknown
// schema_version, a missing key, a wrong type. Unknown keys are accepted.
[[nodiscard]] CoordinationState parse_state(std::string_view text, const std::string& source);

} // namespace testmon_precreate::coordination
