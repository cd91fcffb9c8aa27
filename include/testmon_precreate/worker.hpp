#pragma once

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/coordination/waiter.hpp>
#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace testmon_precreate {

struct AwaitRequest {
  core::Settings settings;
  std::filesystem::path working_directory;
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::string> worker_id; // nothing: no acknowledgment is written
  std::optional<std::string> run_uid;   // nothing: any run's state will do
  bool acknowledge = true;
};

// Waits for the controller's state, acknowledges it and returns it.
// Throws core::CoordinationError and its kin.
[[nodiscard]] coordination::WaitResult await_state(const AwaitRequest& request,
                                                   const core::DebugLog& log);

} // namespace testmon_precreate
