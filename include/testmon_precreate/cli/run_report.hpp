#pragma once

#include <testmon_precreate/cli/program.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::cli {

// What the plugin tells of one pytest run (run_report.py).
struct RunReport {
  bool is_audit = false;           // everything was executed; what was to be skipped is only noted
  std::string why_all;             // the option that switched selection off, in testmon's words
  std::size_t recorded = 0;        // tests that the environment had data of
  std::size_t executed = 0;        // tests
  std::size_t skipped = 0;         // tests
  double skipped_seconds = 0;      // what these took when they ran last
  std::size_t failed = 0;          // tests, and files that could not be collected
  std::vector<std::string> missed; // those that failed and were to be skipped
  std::string datafile;
  std::optional<double>
      base_modified; // the data file's time before the run; nothing: there was none
  std::string environment_name;
  std::string environment_action; // empty: the run was not prepared
  bool packages_changed = false;
};

// Reads the plugin's JSON, of which `source` is the name in errors. Throws
// core::InvalidCoordinationState.
[[nodiscard]] RunReport parse_run_report(std::string_view text, const std::string& source);

// The summary in Markdown: what ran, what was skipped and why not, and the base. `now` is in
// seconds since the epoch.
[[nodiscard]] std::string to_markdown(const RunReport& report, double now);

// Appends `markdown` to the files of GITHUB_STEP_SUMMARY and TESTMON_XDIST_SUMMARY. A file that
// cannot be written is a warning.
void append_summary(const std::string& markdown, const Program& program);

} // namespace testmon_precreate::cli
