#pragma once

#include <testmon_precreate/python/process_facts.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate::python {

// The three values by which testmon knows an environment, and the text they were made from.
struct EnvironmentKey {
  std::string environment_name;
  std::string python_version;
  std::string system_packages;      // as testmon stores it: third version components dropped
  std::string system_packages_full; // what testmon.common.get_system_packages() returns
  std::string own_distributions{};  // of the project: see own_distributions.hpp
};

// What the pytest process described by `facts` will compute (testmon.common.get_system_packages and
// drop_patch_version of the testmon version named there), and which distributions are the own ones
// of the project in `rootdir`; none if that is empty.
[[nodiscard]] EnvironmentKey make_environment_key(const ProcessFacts& facts,
                                                  const std::filesystem::path& rootdir = {});

} // namespace testmon_precreate::python
