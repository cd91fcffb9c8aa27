#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/util/files.hpp>

#include <nlohmann/json.hpp>

namespace testmon_precreate::tests {

// A state of this moment that is judged by age.
inline coordination::CoordinationState sample_state() {
  coordination::CoordinationState state;
  coordination::identify(state, std::nullopt);
  state.rootdir = "/project";
  state.database_path = "/project/.testmondata";
  state.data_version = 13;
  state.testmon_version = "2.1.3";
  state.environment_id = 42;
  state.environment_name = "default";
  state.python_version = "3.11.7";
  state.system_packages = "a 1.2";
  state.system_packages_full = "a 1.2.3";
  state.environment_action = "reused";
  state.precreated_entries.test_files_path = ".testmon_xdist/test_files.txt";
  return state;
}

// Acknowledges without looking at the state.
inline void write_acknowledgment(const coordination::CoordinationDirectory& directory,
                                 const coordination::Acknowledgment& acknowledgment) {
  util::write_file_atomically(directory.path() /
                                  coordination::acknowledgment_name(acknowledgment.worker_id),
                              coordination::to_json(acknowledgment));
}

} // namespace testmon_precreate::tests
