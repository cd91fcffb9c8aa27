#include <testmon_precreate/util/foreground_process.hpp>
#include <testmon_precreate/util/process.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>
#include <system_error>

#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace util = testmon_precreate::util;

// What the tests send has its default effect, even if these tests were started with signals
// ignored or blocked, as by `nohup` or by a shell's `&`: the children would inherit that.
void restore_signals() {
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    std::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs `script` with run_foreground_process in a child process, which keeps its signal mask to
// itself, and returns what that would exit with. `as_session` takes the terminal away.
int exit_code_of(const std::string& script, bool as_session = true) {
  const pid_t child = ::fork();
  if (child == 0) {
    restore_signals();
    if (as_session) {
      ::setsid();
    }
    int code = 99;
    try {
      code =
          util::run_foreground_process({"sh", "-c", script}, util::ProcessEnvironment::current());
    } catch (const std::system_error&) {
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST_SUITE("util/foreground_process") {
  TEST_CASE("the exit code is returned, 128 + n for a signal") {
    CHECK(exit_code_of("exit 0") == 0);
    CHECK(exit_code_of("exit 7") == 7);
    CHECK(exit_code_of("kill -KILL $$") == 128 + SIGKILL);
  }

  TEST_CASE("what is sent to the process is passed on to the child") {
    CHECK(exit_code_of("trap 'exit 42' TERM; kill -TERM $PPID; while :; do sleep 0.01; done") ==
          42);
    CHECK(exit_code_of("trap 'exit 43' INT; kill -INT $PPID; while :; do sleep 0.01; done") == 43);
    CHECK(exit_code_of("kill -HUP $PPID; sleep 60") == 128 + SIGHUP);
  }

  TEST_CASE("without a terminal the whole group of the child gets the signal") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto start = std::chrono::steady_clock::now();
    CHECK(exit_code_of("sleep 20 & sleep 0.2; kill -TERM $PPID; wait") == 128 + SIGTERM);
    ::close(ends[1]);
    char nothing = 0;
    CHECK(::read(ends[0], &nothing, 1) == 0); // the end of the file: `sleep 20` has gone
    ::close(ends[0]);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(15));
  }

  TEST_CASE("an inherited SIG_IGN for SIGCHLD does not lose the exit code") {
    const auto previous = std::signal(SIGCHLD, SIG_IGN);
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(util::run_foreground_process({"sh", "-c", "exit 5"},
                                           util::ProcessEnvironment::current()));
    }
    std::signal(SIGCHLD, previous);
    int status = 0;
    if (::waitpid(child, &status, 0) == child) {
      CHECK(WEXITSTATUS(status) == 5);
    }
  }

  TEST_CASE("a program that cannot be started is a system_error") {
    sigset_t before;
    ::sigprocmask(SIG_BLOCK, nullptr, &before);
    CHECK_THROWS_AS(static_cast<void>(util::run_foreground_process({"/no/such/program"}, {})),
                    std::system_error);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
  }
}

} // namespace
