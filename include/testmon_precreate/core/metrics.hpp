#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace testmon_precreate::core {

// One command's line in the file of TESTMON_XDIST_METRICS.
struct MetricsRecord {
  double timestamp = 0; // seconds since the epoch, of the end
  std::string command;  // prepare, await, run …
  std::string outcome;  // ok, off, error or interrupted
  int exit_code = 0;
  std::string error_class; // empty: no error
  std::optional<std::string> run_uid;
  int waits = 0; // looks at a state or at acknowledgments
  double total_milliseconds = 0;
  std::vector<std::pair<std::string, double>> phases; // milliseconds
};

// The record as one line of JSON with its line feed.
[[nodiscard]] std::string to_json_line(const MetricsRecord& record);

struct Distribution {
  std::size_t count = 0;
  double median = 0; // milliseconds, as p95
  double p95 = 0;
};

struct MetricsSummary {
  std::map<std::string, std::size_t> runs;   // by command
  std::map<std::string, std::size_t> errors; // by class
  Distribution preparation;                  // whole time of `prepare` that ended well
  Distribution waiting;                      // whole time of `testmon-await` that ended well
  std::size_t unreadable_lines = 0;
};

// Sums up the lines of a metrics file.
[[nodiscard]] MetricsSummary summarize_metrics(std::string_view lines);

} // namespace testmon_precreate::core
