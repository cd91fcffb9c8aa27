#pragma once

#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/pytest/project.hpp>

#include <string>
#include <vector>

namespace testmon_precreate {

// One of the places that pytest takes its options from.
struct OptionSource {
  std::string name;
  pytest::CommandLine line;
};

// The places that the run's options come from, the weakest first.
[[nodiscard]] std::vector<OptionSource> option_sources(const RunRequest& request,
                                                       const pytest::Project& project);

// The options that keep testmon from selecting or recording (testmon/configure.py, the same in
// 2.1.0 to 2.2.0).
[[nodiscard]] std::vector<Finding> examine_options(const DoctorRequest& request,
                                                   const pytest::Project& project);

} // namespace testmon_precreate
