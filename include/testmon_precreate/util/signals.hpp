#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>

#include <csignal>
#include <exception>
#include <optional>
#include <vector>

namespace testmon_precreate::util {

// SIGINT or SIGTERM arrived during a wait. Not an error: the process is to end with 128 + n.
class Interrupted : public std::exception {
public:
  explicit Interrupted(int signal_number) noexcept
      : signal_number_(signal_number) {}

  [[nodiscard]] int signal_number() const noexcept { return signal_number_; }

  [[nodiscard]] const char* what() const noexcept override { return "interrupted by a signal"; }

private:
  int signal_number_;
};

// While it lives, the given signals do not reach the calling thread but make a descriptor readable
// (signalfd(2)). Those that were not taken by its end reach the thread then.
class SignalDescriptor {
public:
  // Throws std::system_error if the system refuses.
  explicit SignalDescriptor(const std::vector<int>& signal_numbers);
  ~SignalDescriptor();
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;
  SignalDescriptor(SignalDescriptor&&) = delete;
  SignalDescriptor& operator=(SignalDescriptor&&) = delete;

  // For poll(2): readable once a signal has arrived.
  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }

  // The number of one that has arrived; nothing if none has.
  [[nodiscard]] std::optional<int> take() const;

private:
  sigset_t previous_{};
  FileDescriptor descriptor_;
};

// SIGINT and SIGTERM; without one that the process ignores, as a shell's background job does.
[[nodiscard]] std::vector<int> terminating_signals();

} // namespace testmon_precreate::util
