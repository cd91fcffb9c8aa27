#pragma once

#include <testmon_precreate/coordination/backoff.hpp>
#include <testmon_precreate/coordination/directory_watch.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

namespace testmon_precreate::coordination {

// How long to wait, and how often to look; see core::Settings for the ranges.
struct WaitPolicy {
  util::Seconds timeout{30};
  util::Seconds interval{0.1};
  double backoff_factor = 1.5;
  util::Seconds max_interval{2.0};
  util::Seconds max_age{300}; // 0: never stale
  bool use_notifications = true;
  std::function<void()>
      after_a_second; // called once when the wait has lasted a second; may be empty
};

// The pauses between looks at a directory: exponential backoff by the steady clock, which a file
// notification cuts short. Signals are held back from the first pause on and end it.
class Pauses {
public:
  using Clock = std::chrono::steady_clock; // a step of the system clock moves nothing here

  // The time runs from here on.
  Pauses(std::filesystem::path directory, WaitPolicy policy);

  // Returns when the next look is due, at the end of the time too; false if the time had been
  // over before. `earliest`, if given, asks for a look at that moment. Throws util::Interrupted.
  [[nodiscard]] bool wait(std::optional<Clock::time_point> earliest = std::nullopt);

  // Since the construction.
  [[nodiscard]] util::Seconds elapsed() const;

private:
  // What only a wait needs.
  struct Sources {
    Sources();

    util::SignalDescriptor signals;
    std::optional<DirectoryWatch> watch; // none: not wanted
  };

  [[nodiscard]] bool sleep_until(Clock::time_point moment);
  void rest_from_many_wakes(Clock::time_point moment);
  void check_signals() const;
  void call_after_a_second();

  std::filesystem::path directory_;
  WaitPolicy policy_;
  Backoff backoff_;
  Clock::time_point start_;
  Clock::time_point deadline_;
  Clock::time_point next_look_;
  std::optional<Sources> sources_;
  int wakes_ = 0; // by notifications, since the last look that was due
};

} // namespace testmon_precreate::coordination
