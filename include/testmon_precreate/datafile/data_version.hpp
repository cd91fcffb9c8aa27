#pragma once

namespace testmon_precreate::datafile {

// Data versions (PRAGMA user_version) that this program can read and write: those of testmon 2.0.9
// to 2.0.12 (12), 2.0.13 to 2.1.4 (13) and 2.2.0 (14).
inline constexpr int oldest_data_version = 12;
inline constexpr int newest_data_version = 14;

[[nodiscard]] constexpr bool is_known_data_version(int version) {
  return version >= oldest_data_version && version <= newest_data_version;
}

} // namespace testmon_precreate::datafile
