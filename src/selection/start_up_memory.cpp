#include "testmon_precreate/selection/start_up_memory.hpp"
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace testmon_precreate::selection {

std::optional<util::Seconds> StartUpMemory::recall() const {
  const auto seconds = util::parse_number<double>(util::strip(cache_.read().value_or("")));
  const bool usable = seconds && std::isfinite(*seconds) && *seconds > 0;
  return usable ? std::optional(util::Seconds(*seconds)) : std::nullopt;
}

void StartUpMemory::learn(util::Seconds measured) const {
  constexpr double growth = 1.1;
  const std::optional<util::Seconds> known = recall();
  const util::Seconds now = known ? std::min(measured, *known * growth) : measured;
  cache_.write(fmt::format("{:.4f}\n", now.count()));
}

} // namespace testmon_precreate::selection
