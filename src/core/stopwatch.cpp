#include "testmon_precreate/core/stopwatch.hpp"

namespace testmon_precreate::core {

namespace {

double milliseconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

} // namespace

void Stopwatch::lap(std::string name) {
  const auto now = Clock::now();
  laps_.emplace_back(std::move(name), milliseconds(now - lap_));
  lap_ = now;
}

void Stopwatch::append(const Stopwatch& part) {
  laps_.insert(laps_.end(), part.laps_.begin(), part.laps_.end());
  lap_ = Clock::now();
}

double Stopwatch::total() const { return milliseconds(Clock::now() - start_); }

} // namespace testmon_precreate::core
