#pragma once

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/coordination/waiter.hpp>
#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <filesystem>
#include <functional>
#include <optional>

namespace testmon_precreate {

// How to wait, as the settings have it.
[[nodiscard]] coordination::WaitPolicy wait_policy(const core::Settings& settings);

// The settings tell as which worker to acknowledge (nothing: no acknowledgment is written), and
// which run's state to wait for (nothing: any run's will do).
struct AwaitRequest {
  core::Settings settings;
  std::filesystem::path working_directory;      // absolute
  std::optional<std::filesystem::path> rootdir; // nothing: the nearest parent with a directory
  bool acknowledge = true;
  std::function<void()> after_a_second; // called once when the wait has lasted a second
};

struct AwaitResult {
  coordination::WaitResult wait;
  std::filesystem::path state_path;
};

// Waits for the controller's state, acknowledges it and returns it.
// Throws core::CoordinationError and its kin, and util::Interrupted.
[[nodiscard]] AwaitResult await_state(const AwaitRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
