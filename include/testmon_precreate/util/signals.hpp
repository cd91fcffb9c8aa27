#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>

#include <csignal>
#include <exception>

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

// While it lives, SIGINT and SIGTERM do not end the process but make a descriptor readable
// (signalfd(2)). One that the process ignores stays ignored, as a shell's background job needs it.
// Throws std::system_error where the system refuses.
class SignalDescriptor {
public:
  SignalDescriptor();
  ~SignalDescriptor();
  SignalDescriptor(const SignalDescriptor&) = delete;
  SignalDescriptor& operator=(const SignalDescriptor&) = delete;
  SignalDescriptor(SignalDescriptor&&) = delete;
  SignalDescriptor& operator=(SignalDescriptor&&) = delete;

  // For poll(2): readable once a signal has arrived.
  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }

  // Throws Interrupted where a signal has arrived.
  void check() const;

private:
  sigset_t previous_{};
  FileDescriptor descriptor_;
};

} // namespace testmon_precreate::util
