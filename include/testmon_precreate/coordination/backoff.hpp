#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <algorithm>

namespace testmon_precreate::coordination {

// The intervals between looks: the first one, then each `factor` times the one before, none above
// the ceiling.
class Backoff {
public:
  Backoff(util::Seconds first, double factor, util::Seconds ceiling)
      : next_(std::min(first, ceiling))
      , factor_(factor)
      , ceiling_(ceiling) {}

  [[nodiscard]] util::Seconds next() {
    const util::Seconds current = next_;
    next_ = std::min(current * factor_, ceiling_);
    return current;
  }

private:
  util::Seconds next_;
  double factor_;
  util::Seconds ceiling_;
};

} // namespace testmon_precreate::coordination
