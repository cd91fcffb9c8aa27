#pragma once

#include <chrono>

namespace testmon_precreate::util {

// Durations in files, variables and options are fractional seconds.
using Seconds = std::chrono::duration<double>;

// Seconds since the epoch by the system's wall clock. It jumps when the clock is set: use it
// only for what other processes read; measure waits with `std::chrono::steady_clock`.
[[nodiscard]] inline Seconds wall_clock_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

} // namespace testmon_precreate::util
