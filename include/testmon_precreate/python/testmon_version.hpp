#pragma once

#include <string>

namespace testmon_precreate::python {

// The data version (PRAGMA user_version) that a testmon release reads and writes.
// Throws EnvironmentProbeError for a release that cannot work under xdist (2.0.14, 2.0.15), is
// older than 2.0.13, or cannot be parsed. A release newer than all known ones counts as the newest
// known.
[[nodiscard]] int data_version_of_testmon(const std::string& testmon_version);

// Which distributions testmon.common.get_system_packages() of a release leaves out of its text.
struct PackageRules {
  bool leaves_itself_out = false;  // if testmon_ignore_dependencies is empty; since 2.1.1
  bool leaves_unknown_out = false; // name UNKNOWN, version 0.0.0; since 2.1.4
};

// Throws like data_version_of_testmon.
[[nodiscard]] PackageRules package_rules_of_testmon(const std::string& testmon_version);

} // namespace testmon_precreate::python
