#pragma once

#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace testmon_precreate {

// Something that keeps testmon from selecting, or that may cost time or data.
struct Finding {
  std::string id;          // stays the same between versions
  bool is_problem = false; // selection cannot work
  std::string what;
  std::string where; // a file, a variable, an option's place
  std::string cure;
};

struct Diagnosis {
  std::filesystem::path rootdir;
  std::filesystem::path datafile;
  std::vector<Finding> findings;

  [[nodiscard]] bool can_select() const {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& finding) { return finding.is_problem; });
  }
};

struct DoctorRequest : RunRequest {
  bool is_whole_command = false; // the pytest arguments are all that the run will get
  bool thorough = false;         // reads the whole data file
  // Called before what may take longer than a second.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
};

// Looks for what keeps testmon from selecting tests in the run that `request` describes: its
// options, interpreter, versions, plugin, data file and what is recorded there. Changes nothing.
// What cannot be asked is a finding, not an error. Throws core::UsageError if pytest itself
// would refuse to run.
[[nodiscard]] Diagnosis examine(const DoctorRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
