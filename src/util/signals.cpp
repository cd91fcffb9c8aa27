#include "testmon_precreate/util/signals.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <cerrno>

#include <sys/signalfd.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace {

bool is_ignored(int signal_number) {
  struct sigaction action {};

  return ::sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

} // namespace

SignalDescriptor::SignalDescriptor(const std::vector<int>& signal_numbers) {
  sigset_t watched{};
  ::sigemptyset(&watched);
  for (const int signal_number : signal_numbers) {
    ::sigaddset(&watched, signal_number);
  }
  descriptor_ = FileDescriptor(::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!descriptor_) {
    throw_errno("signalfd", errno);
  }
  ::pthread_sigmask(SIG_BLOCK, &watched, &previous_);
}

SignalDescriptor::~SignalDescriptor() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

std::optional<int> SignalDescriptor::take() const {
  signalfd_siginfo info{};
  return ::read(get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)
             ? std::optional(static_cast<int>(info.ssi_signo))
             : std::nullopt;
}

std::vector<int> terminating_signals() {
  std::vector<int> numbers{SIGINT, SIGTERM};
  std::erase_if(numbers, is_ignored);
  return numbers;
}

} // namespace testmon_precreate::util
