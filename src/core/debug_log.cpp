#include "testmon_precreate/core/debug_log.hpp"
#include <testmon_precreate/util/clock.hpp>

#include <cmath>
#include <ctime>

#include <unistd.h>

namespace testmon_precreate::core {

void DebugLog::write(std::string_view message) const {
  const double now = util::wall_clock_now().count();
  const auto whole_seconds = static_cast<std::time_t>(now);
  std::tm local{};
  ::localtime_r(&whole_seconds, &local);
  const int milliseconds = static_cast<int>((now - std::floor(now)) * 1000.0);
  *sink_ << fmt::format("{:02}:{:02}:{:02}.{:03} {}[{}]: {}\n", local.tm_hour, local.tm_min,
                        local.tm_sec, milliseconds, program_, ::getpid(), message)
         << std::flush;
}

} // namespace testmon_precreate::core
