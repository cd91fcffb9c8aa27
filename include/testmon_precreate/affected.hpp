#pragma once

#include <testmon_precreate/core/debug_log.hpp>
#include <testmon_precreate/datafile/recorded_state.hpp>
#include <testmon_precreate/python/file_blocks.hpp>
#include <testmon_precreate/surroundings.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace testmon_precreate {

// A recorded file whose content is not the one that tests were run with.
struct ChangedFile {
  std::string path; // relative to the rootdir
  bool gone = false;
  std::size_t tests = 0;     // that depend on it
  util::Seconds duration{0}; // of those, as recorded
};

// A recorded test that testmon may run again, and why.
struct AffectedTest {
  std::string name;
  std::optional<util::Seconds> duration;  // as recorded; nothing: it never ran
  bool failed = false;                    // when it ran last
  std::vector<std::size_t> changed_files; // on which it depends, as indices of Affected's
};

// What the changes of a working tree can affect.
struct Affected {
  std::filesystem::path rootdir;
  std::filesystem::path datafile;
  std::optional<datafile::EnvironmentRow> environment; // nothing: nothing is recorded
  int data_version = 0;                                // of the data file; 0 without an environment
  std::vector<ChangedFile> changed_files;              // by path
  std::vector<AffectedTest> tests;                     // by name
  std::vector<std::string> unknown_test_files;         // that the environment has no data of
  std::vector<std::string> gone_tests;                 // recorded ones whose file is not there
  std::size_t recorded_tests = 0;
  util::Seconds recorded_duration{0}; // of all of them
  std::vector<std::string> warnings;
  std::optional<std::string> distribution; // the run's --dist

  [[nodiscard]] bool nothing_to_run() const { return tests.empty() && unknown_test_files.empty(); }

  // The test files that hold something to run: those of the tests and the unknown ones, sorted.
  [[nodiscard]] std::vector<std::string> test_files_to_run() const;

  // What the recorded tests to run took when they ran last.
  [[nodiscard]] util::Seconds duration() const;
};

// Counts again how many of the tests depend on each changed file.
void count_tests(Affected& affected);

// Where to look, and how.
struct AffectedQuery {
  std::filesystem::path rootdir;
  std::filesystem::path datafile;
  std::filesystem::path invocation_directory; // of the pytest run
  util::ProcessEnvironment environment;       // of the pytest run
  std::function<std::optional<std::int64_t>(std::span<const datafile::EnvironmentRow>)>
      choose_environment;
  std::vector<std::string> test_files; // of the project, as scan_test_files finds them
  bool may_write_cache = true;
  // Instead of a comparison: the recorded tests that are to run, as testmon itself has found them.
  std::optional<std::unordered_set<std::string>> given_tests{};
  // Finds the blocks of files relative to the rootdir; empty: whole files are compared.
  std::function<std::vector<python::FileBlocks>(const std::vector<std::string>&)> find_blocks{};
};

// Compares what is recorded of one environment with the working tree, file by file: the tests are
// all those that testmon will run, and may be more of them; with `find_blocks` they are exactly
// those. Starts no process but, in rare cases, git. Writes to nothing but the user's cache. Throws
// core::DatabaseError, and what `find_blocks` throws.
[[nodiscard]] Affected find_affected(const AffectedQuery& query);

// Leaves out what a run of `project` would not collect because its arguments name paths.
void restrict_to_paths(Affected& affected, const pytest::Project& project);

struct AffectedRequest : RunRequest {
  std::optional<std::filesystem::path> since_file; // another data file than the project's
  bool exact = false;                              // asks the interpreter
  std::optional<std::unordered_set<std::string>> given_tests; // as AffectedQuery's
};

// The query for `request`, which need not be exact, and the project that it is about.
[[nodiscard]] AffectedQuery make_affected_query(const AffectedRequest& request,
                                                const pytest::Project& project,
                                                std::vector<std::string> test_files);

// Makes `query` exact: the environment is the one that matches `surroundings`, a parked one too.
// All three must outlive the query.
void make_exact(AffectedQuery& query, const AffectedRequest& request,
                const Surroundings& surroundings);

// The same for the run that `request` describes. If it need not be exact, no interpreter is
// started: the environment is taken to be the newest one of its name in the data file. Otherwise it
// is the one that matches, a parked one too. If the pytest arguments name paths, only tests
// below these count. Throws core::UsageError and core::EnvironmentProbeError too.
[[nodiscard]] Affected find_affected(const AffectedRequest& request, const core::DebugLog& log);

} // namespace testmon_precreate
