#pragma once

#include "doctor_findings.hpp"

#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace testmon_precreate {

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
