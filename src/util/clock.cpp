#include "testmon_precreate/util/clock.hpp"

namespace testmon_precreate::util {

Seconds wall_clock_now() { return std::chrono::system_clock::now().time_since_epoch(); }

} // namespace testmon_precreate::util
