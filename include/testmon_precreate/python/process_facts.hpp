#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::python {

// What a Python process knows of itself and this program cannot know from outside.
struct ProcessFacts {
  std::vector<std::string> sys_path; // as importlib.metadata will walk it
  std::string python_version;        // major.minor.micro
  std::string testmon_version;
  std::string environment_name; // evaluated; never empty
  std::vector<std::string> ignore_dependencies;
  std::string
      working_directory; // what '' and relative entries of sys_path mean; empty: this process's
};

// Reads the JSON of `--process-facts`; unknown keys are ignored.
// Throws UsageError that names a missing key or a wrong type.
[[nodiscard]] ProcessFacts parse_process_facts(std::string_view json);

} // namespace testmon_precreate::python
