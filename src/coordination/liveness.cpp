#include "testmon_precreate/coordination/liveness.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <csignal>

#include <unistd.h>

namespace testmon_precreate::coordination {

namespace {

bool is_this_host(const CoordinationState& state) { return state.hostname == util::hostname(); }

// An id that is missing on one side tells nothing.
bool differ(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && a != b;
}

// Without the exact start time, the one in seconds is compared: other programs compute it from a
// boot time in whole seconds, and the clock may have been adjusted since.
bool is_same_start(const CoordinationState& state, std::uint64_t ticks) {
  constexpr double tolerance = 2.0;
  if (state.controller_start_ticks) {
    return *state.controller_start_ticks == ticks;
  }
  return std::abs(util::start_ticks_to_wall_clock(ticks).count() - state.controller_start_time) <=
         tolerance;
}

ControllerLife life_of_process(const CoordinationState& state) {
  const auto ticks = util::process_start_ticks(state.controller_pid);
  if (ticks) {
    return is_same_start(state, *ticks) ? ControllerLife::alive : ControllerLife::gone;
  }
  // Without a readable /proc, only the pid can be checked.
  const bool proc_works = util::process_start_ticks(::getpid()).has_value();
  const bool exists = ::kill(state.controller_pid, 0) == 0 || errno == EPERM;
  return !proc_works && exists ? ControllerLife::alive : ControllerLife::gone;
}

std::string describe_controller(const CoordinationState& state) {
  return fmt::format("controller {} of run {}", state.controller_pid,
                     state.run_uid.value_or("(without id)"));
}

} // namespace

ControllerLife controller_life(const CoordinationState& state) {
  if (state.liveness != Liveness::process || !is_this_host(state)) {
    return ControllerLife::not_visible;
  }
  if (differ(state.boot_id, util::boot_id())) {
    return ControllerLife::gone;
  }
  if (differ(state.pid_namespace, util::pid_namespace())) {
    return ControllerLife::not_visible;
  }
  return life_of_process(state);
}

double age_of(const CoordinationState& state) {
  return util::wall_clock_now().count() - state.timestamp;
}

Judgement judge(const CoordinationState& state, const std::optional<std::string>& run_uid,
                util::Seconds max_age) {
  if (run_uid && state.run_uid && *run_uid != *state.run_uid) {
    return {Standing::other_run, fmt::format("a state of another run ({}, not {}), {:.1f} s old",
                                             *state.run_uid, *run_uid, age_of(state))};
  }
  if (is_this_host(state) && differ(state.boot_id, util::boot_id())) {
    return {Standing::other_boot,
            fmt::format("a state from before the last reboot, {:.1f} s old", age_of(state))};
  }
  const ControllerLife life = controller_life(state);
  if (life == ControllerLife::gone) {
    return {Standing::controller_gone, fmt::format("a state whose {} is gone, {:.1f} s old",
                                                   describe_controller(state), age_of(state))};
  }
  if (life == ControllerLife::alive && run_uid && state.run_uid) {
    return {};
  }
  const double age = age_of(state);
  if (max_age.count() > 0 && age > max_age.count()) {
    return {Standing::stale,
            fmt::format("a stale state: {:.1f} s old, the limit is {:g} s", age, max_age.count())};
  }
  if (max_age.count() > 0 && -age > max_age.count()) {
    return {Standing::stale,
            fmt::format("a state from {:.1f} s in the future: the clocks differ", -age)};
  }
  return {};
}

void identify(CoordinationState& state, std::optional<pid_t> controller_pid) {
  state.timestamp = util::wall_clock_now().count();
  state.hostname = util::hostname();
  state.boot_id = util::boot_id();
  state.liveness = Liveness::age;
  if (!controller_pid) {
    return;
  }
  const auto ticks = util::process_start_ticks(*controller_pid);
  if (!ticks) {
    throw core::UsageError(
        {.what = fmt::format("there is no process {}", *controller_pid),
         .where = "--controller-pid",
         .hint = "Give the pid of the process that runs pytest, or leave it out"});
  }
  state.liveness = Liveness::process;
  state.controller_pid = *controller_pid;
  state.controller_start_ticks = *ticks;
  state.controller_start_time = util::start_ticks_to_wall_clock(*ticks).count();
  state.pid_namespace = util::pid_namespace();
}

} // namespace testmon_precreate::coordination
