#pragma once

#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/surroundings.hpp>
#include <testmon_precreate/util/text.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace testmon_precreate {

// What the parts of `doctor` share.

constexpr const char* switch_variable = "TESTMON_XDIST_CONTROLLER_PRECREATION";
constexpr const char* switch_on =
    "export TESTMON_XDIST_CONTROLLER_PRECREATION=true, or use `testmon-precreate run -- pytest "
    "--testmon`";

// Whether a variable says yes. What is neither yes nor no is no error here.
[[nodiscard]] inline bool is_on(const std::string& value) {
  const std::string text = util::to_lower(util::strip(value));
  return text == "1" || text == "true" || text == "yes" || text == "on";
}

// Collects findings in the order in which they are made.
class Findings {
public:
  // Selection cannot work.
  void problem(const char* id, std::string what, std::string where, std::string cure) {
    all_.push_back({id, true, std::move(what), std::move(where), std::move(cure)});
  }

  // Something that may cost time or data.
  void note(const char* id, std::string what, std::string where, std::string cure) {
    all_.push_back({id, false, std::move(what), std::move(where), std::move(cure)});
  }

  [[nodiscard]] std::vector<Finding> take() { return std::move(all_); }

private:
  std::vector<Finding> all_;
};

// The options that keep testmon from selecting or recording (testmon/configure.py, the same in
// 2.1.0 to 2.2.0).
void examine_options(const DoctorRequest& request, const pytest::Project& project,
                     Findings& findings);

// What is known of a run when its data file is looked at.
struct ExaminedRun {
  std::filesystem::path datafile;
  pytest::Project project;
  std::string interpreter;                  // as it was found, or its error's place
  std::optional<Surroundings> surroundings; // nothing: Python could not be asked
  int data_version = 0;                     // of testmon; 0: not known
  bool plugin_works = false;
};

// The data file, and what is recorded in it for this run. What cannot be read is a finding.
void examine_datafile(const DoctorRequest& request, const ExaminedRun& run, Findings& findings);

} // namespace testmon_precreate
