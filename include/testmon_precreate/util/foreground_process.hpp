#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <string>
#include <vector>

namespace testmon_precreate::util {

// Runs a process to its end with this process's own standard streams and returns its exit code as a
// shell counts it (128 + n for a process that signal n ended).
//
// SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 that are sent to this process meanwhile do
// not end it but are passed on. If there is a controlling terminal, the child stays in this
// process's group, so that job control and what a terminal sends reach both; without one it gets a
// group of its own, and the whole group gets the signals. The signals stay blocked
// when this returns, so that what has to be tidied up afterwards is not cut short. On Linux the
// child is sent SIGTERM when this process dies of a signal that cannot be caught.
//
// `arguments` must not be empty; the first one is looked up on this process's PATH.
// Throws std::system_error if the process cannot be started.
[[nodiscard]] int run_foreground_process(const std::vector<std::string>& arguments,
                                         const ProcessEnvironment& environment);

} // namespace testmon_precreate::util
