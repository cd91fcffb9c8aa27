#include "testmon_precreate/python/environment_key.hpp"
#include <testmon_precreate/python/distributions.hpp>
#include <testmon_precreate/python/own_distributions.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/python_version.hpp>
#include <testmon_precreate/python/testmon_version.hpp>

namespace testmon_precreate::python {

EnvironmentKey make_environment_key(const ProcessFacts& facts,
                                    const std::filesystem::path& rootdir) {
  const PythonVersion python = parse_python_version(facts.python_version);
  const PackageRules rules = package_rules_of_testmon(facts.testmon_version);
  EnvironmentKey key{.environment_name = facts.environment_name,
                     .python_version = facts.python_version,
                     .system_packages = {},
                     .system_packages_full = {}};
  std::vector<Distribution> found =
      find_distributions(facts.sys_path, facts.working_directory, python);
  found.insert(found.end(), facts.other_distributions.begin(), facts.other_distributions.end());
  key.system_packages_full = package_text(found, facts.ignore_dependencies, rules);
  key.system_packages = drop_patch_version(key.system_packages_full);
  if (!rootdir.empty()) {
    key.own_distributions = own_distributions(found, rootdir);
  }
  return key;
}

} // namespace testmon_precreate::python
