#pragma once

#include <testmon_precreate/python/process_facts.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::python {

struct ProbeRequest {
  std::filesystem::path interpreter;
  std::filesystem::path working_directory;
  util::ProcessEnvironment environment;                  // of the process that will run pytest
  std::vector<std::filesystem::path> sys_path_additions; // put before the interpreter's own entries
  std::optional<std::string> environment_name;           // --testmon-env; beats the expression
  std::string environment_expression;                    // ini option, evaluated by the interpreter
  std::vector<std::string> ignore_dependencies;          // ini option testmon_ignore_dependencies
  util::Seconds timeout{60};                             // for the interpreter to answer
};

// The facts of a pytest process that this interpreter would run, from one short interpreter start.
// Throws EnvironmentProbeError: the interpreter cannot be started, fails, does not answer
// in time, or has no testmon.
[[nodiscard]] ProcessFacts probe_interpreter(const ProbeRequest& request);

} // namespace testmon_precreate::python
