#include "testmon_precreate/util/foreground_process.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/exec_arguments.hpp>
#include <testmon_precreate/util/exit_codes.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace testmon_precreate::util {

namespace {

constexpr std::array forwarded_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : forwarded_signals) {
    sigaddset(&set, signal);
  }
  sigaddset(&set, SIGCHLD);
  return set;
}

bool has_controlling_terminal() {
  return static_cast<bool>(try_open_file(AT_FDCWD, "/dev/tty", O_RDWR));
}

// What the child needs between fork and exec, when it may not allocate.
struct ExecPlan {
  ExecArguments arguments;
  sigset_t signal_mask{};
  pid_t parent = 0;
  bool own_group = false;
};

// Never returns: becomes the program, or writes errno to `report` and ends.
[[noreturn]] void become(const ExecPlan& plan, int report) {
  if (plan.own_group) {
    ::setpgid(0, 0);
  }
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != plan.parent) {
    ::_exit(exit_code_of_signal(SIGTERM)); // the parent had gone before the line above
  }
#endif
  ::sigprocmask(SIG_SETMASK, &plan.signal_mask, nullptr);
  const int error = plan.arguments.execute();
  // If even this fails, nothing is left to do.
  [[maybe_unused]] const ssize_t written = ::write(report, &error, sizeof error);
  ::_exit(exit_code_of_exec_error(error));
}

// Throws what kept the child from becoming the program, if anything did.
void check_started(const FileDescriptor& report, pid_t child, const std::string& name) {
  int error = 0;
  const ssize_t count = uninterrupted([&] { return ::read(report.get(), &error, sizeof error); });
  if (count == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(child, nullptr, 0);
    throw_errno(name, error);
  }
}

pid_t start(const ExecPlan& plan) {
  Pipe report = make_pipe();
  const pid_t child = ::fork();
  if (child < 0) {
    throw_errno("fork", errno);
  }
  if (child == 0) {
    become(plan, report.write_end.get());
  }
  if (plan.own_group) {
    ::setpgid(child, child); // whichever of the two comes first
  }
  report.write_end.close();
  check_started(report.read_end, child, plan.arguments.program());
  return child;
}

void forward(const siginfo_t& signal, pid_t child, bool own_group) {
  if (own_group) {
    ::kill(-child, signal.si_signo);
  } else if (signal.si_code == SI_KERNEL) {
    return; // a terminal sends to all of its foreground group
  } else if (::getpgrp() == ::getpid()) {
    ::kill(0, signal.si_signo); // it is our group, and our own copy is ignored
  } else {
    ::kill(child, signal.si_signo);
  }
}

// Waits for the end of `child`; returns its exit code.
int serve(const sigset_t& awaited, pid_t child, bool own_group) {
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) {
      return exit_code_of_status(status);
    }
    if (ended < 0 && errno != EINTR) {
      throw_errno("waitpid", errno);
    }
    siginfo_t signal{};
    if (::sigwaitinfo(&awaited, &signal) > 0 && signal.si_signo != SIGCHLD &&
        signal.si_pid != ::getpid()) {
      forward(signal, child, own_group);
    }
  }
}

} // namespace

int run_foreground_process(const std::vector<std::string>& arguments,
                           const ProcessEnvironment& environment) {
  ExecPlan plan{.arguments = ExecArguments(arguments, environment),
                .parent = ::getpid(),
                .own_group = !has_controlling_terminal()};
  const sigset_t awaited = awaited_signals();
  // Before the child exists: none of its ends and no signal can be missed.
  ::sigprocmask(SIG_BLOCK, &awaited, &plan.signal_mask);
  static_cast<void>(std::signal(
      SIGCHLD, SIG_DFL)); // ignored (an inherited setting), no child would leave its status
  return serve(awaited, start(plan), plan.own_group);
}

} // namespace testmon_precreate::util
