#include "testmon_precreate/coordination/pauses.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include <poll.h>

namespace testmon_precreate::coordination {

namespace {

Pauses::Clock::duration to_clock(util::Seconds seconds) {
  return std::chrono::duration_cast<Pauses::Clock::duration>(seconds);
}

timespec to_timespec(Pauses::Clock::duration duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  return {.tv_sec = whole.count(), .tv_nsec = std::chrono::nanoseconds(duration - whole).count()};
}

} // namespace

Pauses::Sources::Sources()
    : signals(util::terminating_signals()) {}

Pauses::Pauses(std::filesystem::path directory, WaitPolicy policy)
    : directory_(std::move(directory))
    , policy_(std::move(policy))
    , backoff_(policy_.interval, policy_.backoff_factor, policy_.max_interval)
    , start_(Clock::now())
    , deadline_(start_ + to_clock(policy_.timeout))
    , next_look_(start_ + to_clock(backoff_.next())) {}

bool Pauses::wait(std::optional<Clock::time_point> earliest) {
  if (Clock::now() >= deadline_) {
    return false;
  }
  if (!sources_) {
    sources_.emplace();
    if (policy_.use_notifications) {
      // What came before the watch was there is seen by the look that follows.
      sources_->watch.emplace(directory_);
      return true;
    }
  }
  const Clock::time_point due = std::min({next_look_, deadline_, earliest.value_or(deadline_)});
  while (Clock::now() < due) {
    const Clock::time_point a_second = start_ + std::chrono::seconds(1);
    const bool note_first = policy_.after_a_second && a_second < due;
    if (sleep_until(note_first ? a_second : due)) {
      return true;
    }
    call_after_a_second();
  }
  if (const auto now = Clock::now(); now >= next_look_) {
    next_look_ = now + to_clock(backoff_.next());
    wakes_ = 0;
  }
  return true;
}

// Whether a notification cut the sleep short.
bool Pauses::sleep_until(Clock::time_point moment) {
  const auto left = moment - Clock::now();
  if (left <= Clock::duration::zero()) {
    return false;
  }
  const timespec timeout = to_timespec(left);
  std::array<pollfd, 2> polled{pollfd{sources_->signals.get(), POLLIN, 0},
                               pollfd{sources_->watch ? sources_->watch->get() : -1, POLLIN, 0}};
  if (::ppoll(polled.data(), polled.size(), &timeout, nullptr) < 0 && errno != EINTR) {
    util::throw_errno("ppoll", errno);
  }
  if (polled[0].revents != 0) {
    check_signals();
  }
  if (polled[1].revents == 0) {
    return false;
  }
  const bool has_changed = sources_->watch->take();
  rest_from_many_wakes(moment);
  return has_changed;
}

void Pauses::check_signals() const {
  if (const auto number = sources_->signals.take()) {
    throw util::Interrupted(*number);
  }
}

// A process that writes other files without end must not keep this one busy.
void Pauses::rest_from_many_wakes(Clock::time_point moment) {
  constexpr int bearable = 64;
  constexpr std::chrono::milliseconds rest{10};
  if (++wakes_ < bearable) {
    return;
  }
  const auto left =
      std::clamp<Clock::duration>(moment - Clock::now(), Clock::duration::zero(), rest);
  const timespec timeout = to_timespec(left);
  pollfd signals{sources_->signals.get(), POLLIN, 0};
  ::ppoll(&signals, 1, &timeout, nullptr);
}

void Pauses::call_after_a_second() {
  if (policy_.after_a_second && elapsed() >= util::Seconds(1)) {
    std::exchange(policy_.after_a_second, nullptr)();
  }
}

util::Seconds Pauses::elapsed() const { return Clock::now() - start_; }

} // namespace testmon_precreate::coordination
