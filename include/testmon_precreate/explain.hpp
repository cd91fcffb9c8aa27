#pragma once

#include <testmon_precreate/affected.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace testmon_precreate {

// A package that two environments do not have in common. Versions as testmon keeps them: without
// their third component.
struct PackageChange {
  std::string name;
  std::optional<std::string> before; // nothing: it was added
  std::optional<std::string> after;  // nothing: it was removed
};

// The packages that differ between two texts of the form `NAME VERSION, NAME VERSION`, by name.
[[nodiscard]] std::vector<PackageChange> compare_packages(const std::string& before,
                                                          const std::string& after);

enum class RecordedFileState { unchanged, modified, deleted };

struct RecordedFile {
  std::string path; // relative to the rootdir
  RecordedFileState state = RecordedFileState::unchanged;
};

// What is recorded of the test or the file that was asked for.
struct Subject {
  std::string name; // a test's, or a file's path relative to the rootdir
  bool is_test = false;
  bool is_recorded = false;
  bool failed = false;             // a test: when it ran last
  std::vector<RecordedFile> files; // a test: on which it depends; a file: itself
  std::vector<std::string> tests;  // a file: those that depend on it
};

// Why tests will run again.
struct Explanation {
  Affected affected; // by the environment that matches, else by the nearest one there is
  bool matches = false;
  std::optional<python::EnvironmentKey> wanted; // nothing: Python could not be asked
  std::string testmon_version;
  int wanted_data_version = 0;         // of that testmon
  std::vector<PackageChange> packages; // from the nearest environment to the wanted one
  // Of these the project's own distributions, whose versions are no dependency; and those of which
  // something else is one, and has changed.
  std::set<std::string> own_versions;
  std::set<std::string> own_changes;
  std::optional<Subject> subject;
};

// Compares the environment that the run will want with those in the data file, the parked ones too,
// and the working tree with what is recorded. `subject` is a test's name, or a path relative to the
// working directory; nothing: the whole project. If the interpreter cannot be asked, the newest
// environment is taken, and a warning says so. Throws as find_affected.
[[nodiscard]] Explanation explain(const AffectedRequest& request,
                                  const std::optional<std::string>& subject,
                                  const core::DebugLog& log);

} // namespace testmon_precreate
