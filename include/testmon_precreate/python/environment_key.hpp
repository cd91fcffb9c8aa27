#pragma once

#include <testmon_precreate/python/process_facts.hpp>

#include <string>

namespace testmon_precreate::python {

// The three values by which testmon knows an environment, and the text they were made from.
struct EnvironmentKey {
  std::string environment_name;
  std::string python_version;
  std::string system_packages;      // as testmon stores it: third version components dropped
  std::string system_packages_full; // what testmon.common.get_system_packages() returns
};

// What the pytest process described by `facts` will compute (testmon.common.get_system_packages and
// drop_patch_version of the testmon version named there).
[[nodiscard]] EnvironmentKey make_environment_key(const ProcessFacts& facts);

} // namespace testmon_precreate::python
