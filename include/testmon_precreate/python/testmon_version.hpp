#pragma once

#include <string>

namespace testmon_precreate::python {

// The data version (PRAGMA user_version) that a testmon release reads and writes.
// Throws EnvironmentProbeError for a release that cannot work under xdist (2.0.14, 2.0.15), is
// older than 2.0.13, or cannot be parsed. A release newer than every known one counts as the newest
// known.
[[nodiscard]] int data_version_of_testmon(const std::string& testmon_version);

} // namespace testmon_precreate::python
