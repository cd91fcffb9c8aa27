#include "sample_state.hpp"

#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <limits>

#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
namespace util = testmon_precreate::util;
using coordination::ControllerLife;
using coordination::Standing;
using testmon_precreate::tests::sample_state;

constexpr util::Seconds limit{300};

coordination::CoordinationState state_of_this_process() {
  coordination::CoordinationState state = sample_state();
  coordination::identify(state, ::getpid());
  return state;
}

Standing standing(const coordination::CoordinationState& state, const char* run_uid = nullptr) {
  return coordination::judge(
             state, run_uid != nullptr ? std::optional<std::string>(run_uid) : std::nullopt, limit)
      .standing;
}

TEST_SUITE("coordination/liveness") {
  TEST_CASE("a living controller, and one that is gone") {
    coordination::CoordinationState state = state_of_this_process();
    CHECK(controller_life(state) == ControllerLife::alive);
    CHECK(standing(state) == Standing::usable);
    *state.controller_start_ticks += 1;
    CHECK(controller_life(state) == ControllerLife::gone);
    CHECK(standing(state) == Standing::controller_gone);
    state.controller_start_ticks.reset();
    CHECK(controller_life(state) == ControllerLife::alive);
    state.controller_start_time -= 10;
    CHECK(controller_life(state) == ControllerLife::gone);
    state.controller_pid = std::numeric_limits<pid_t>::max();
    CHECK(controller_life(state) == ControllerLife::gone);
  }

  TEST_CASE("a controller that has ended but was not waited for is gone") {
    const pid_t child = ::fork();
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
    coordination::CoordinationState state = sample_state();
    coordination::identify(state, child);
    CHECK(controller_life(state) == ControllerLife::alive);
    ::kill(child, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
    CHECK(controller_life(state) == ControllerLife::gone);
    ::waitpid(child, nullptr, 0);
    CHECK(controller_life(state) == ControllerLife::gone);
  }

  TEST_CASE("no state is identified with a process that does not exist") {
    coordination::CoordinationState state;
    CHECK_THROWS_AS(coordination::identify(state, std::numeric_limits<pid_t>::max()),
                    core::UsageError);
  }

  TEST_CASE("other hosts and pid namespaces cannot be seen") {
    coordination::CoordinationState state = state_of_this_process();
    state.pid_namespace = "pid:[1]";
    CHECK(controller_life(state) == ControllerLife::not_visible);
    state = state_of_this_process();
    state.hostname += "-other";
    state.boot_id = "other";
    CHECK(controller_life(state) == ControllerLife::not_visible);
    CHECK(standing(state) == Standing::usable);
    state.timestamp -= 301;
    CHECK(standing(state) == Standing::stale);
  }

  TEST_CASE("another boot of this host") {
    coordination::CoordinationState state = sample_state();
    state.boot_id = "other";
    CHECK(standing(state) == Standing::other_boot);
    state.boot_id.clear();
    CHECK(standing(state) == Standing::usable);
  }

  TEST_CASE("run ids") {
    coordination::CoordinationState state = sample_state();
    CHECK(standing(state, "a") == Standing::usable);
    state.run_uid = "a";
    CHECK(standing(state, "a") == Standing::usable);
    CHECK(standing(state) == Standing::usable);
    CHECK(standing(state, "b") == Standing::other_run);
  }

  TEST_CASE("age") {
    coordination::CoordinationState state = sample_state();
    state.timestamp -= 299;
    CHECK(standing(state) == Standing::usable);
    state.timestamp -= 2;
    CHECK(standing(state) == Standing::stale);
    CHECK(coordination::judge(state, std::nullopt, util::Seconds(0)).usable());
    state.timestamp += 301 + 299;
    CHECK(standing(state) == Standing::usable);
    state.timestamp += 10;
    CHECK(standing(state) == Standing::stale);
  }

  TEST_CASE("run id and controller together have no age") {
    coordination::CoordinationState state = state_of_this_process();
    state.run_uid = "a";
    state.timestamp -= 4000;
    CHECK(standing(state, "a") == Standing::usable);
    CHECK(standing(state) == Standing::stale);
    state.run_uid.reset();
    CHECK(standing(state, "a") == Standing::stale);
  }
}

} // namespace
