#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace testmon_precreate::core {

// Takes the time of a command's phases.
class Stopwatch {
public:
  Stopwatch()
      : start_(Clock::now())
      , lap_(start_) {}

  // Ends a phase: notes as `name` the time since the one before, or since the construction.
  void lap(std::string name);

  // Adds the phases that another watch has taken meanwhile; the next one starts now.
  void append(const Stopwatch& part);

  // Phases with their milliseconds, in their order.
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& laps() const noexcept {
    return laps_;
  }

  // Milliseconds since the construction.
  [[nodiscard]] double total() const;

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_;
  Clock::time_point lap_;
  std::vector<std::pair<std::string, double>> laps_;
};

} // namespace testmon_precreate::core
