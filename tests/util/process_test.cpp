#include <testmon_precreate/util/process.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <system_error>

namespace {

namespace util = testmon_precreate::util;

util::ProcessCall shell(const std::string& script) {
  return {.arguments = {"sh", "-c", script},
          .working_directory = {},
          .environment = util::ProcessEnvironment::current(),
          .standard_input = {}};
}

TEST_SUITE("util/process") {
  TEST_CASE("output, errors and the exit code are collected") {
    const util::ProcessOutput result = util::run_process(shell("echo out; echo err >&2; exit 3"));
    CHECK(result.standard_output == "out\n");
    CHECK(result.standard_error == "err\n");
    CHECK(result.exit_code == 3);
    CHECK_FALSE(result.timed_out);
  }

  TEST_CASE("input larger than a pipe's buffer goes through") {
    util::ProcessCall call = shell("wc -c");
    call.standard_input = std::string(1'000'000, 'x');
    CHECK(std::stoi(util::run_process(call).standard_output) == 1'000'000);
  }

  TEST_CASE("a process that does not read its input does no harm") {
    util::ProcessCall call = shell("exec <&-; exit 0");
    call.standard_input = std::string(1'000'000, 'x');
    CHECK(util::run_process(call).exit_code == 0);
  }

  TEST_CASE("a process over its time is killed") {
    util::ProcessCall call = shell("exec sleep 60");
    call.timeout = util::Seconds(0.1);
    const util::ProcessOutput result = util::run_process(call);
    CHECK(result.timed_out);
    CHECK(result.exit_code == 128 + SIGKILL);
  }

  TEST_CASE("ignored signals of this process do not matter, and are not the child's") {
    auto* const children = std::signal(SIGCHLD, SIG_IGN);
    const util::ProcessOutput result =
        util::run_process(shell("kill -PIPE $$; exit 0")); // ignored, it would do nothing
    CHECK(result.exit_code == 128 + SIGPIPE);
    CHECK((std::signal(SIGCHLD, children) == SIG_IGN));
  }

  TEST_CASE("a command that does not exist is an error that names it") {
    util::ProcessCall call = shell("");
    call.arguments = {"no-such-command-anywhere"};
    CHECK_THROWS_WITH_AS(static_cast<void>(util::run_process(call)),
                         doctest::Contains("no-such-command-anywhere"), std::system_error);
  }
}

} // namespace
