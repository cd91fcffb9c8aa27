#pragma once

#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace testmon_precreate::util {

struct ProcessOutput {
  int exit_code = 0; // as a shell counts it: 128 + n for a process that signal n ended
  bool timed_out = false;
  std::string standard_output;
  std::string standard_error;
};

struct ProcessCall {
  std::vector<std::string> arguments;      // the first one is the executable, looked up on PATH
  std::filesystem::path working_directory; // empty: this process's own
  ProcessEnvironment environment;
  std::string standard_input;
  Seconds timeout{60}; // then the process is killed
};

// Runs a process to its end and collects what it writes.
// Throws std::system_error if it cannot be started.
[[nodiscard]] ProcessOutput run_process(const ProcessCall& call);

} // namespace testmon_precreate::util
