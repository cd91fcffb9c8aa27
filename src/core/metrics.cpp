#include "testmon_precreate/core/metrics.hpp"
#include <testmon_precreate/util/text.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace testmon_precreate::core {

namespace {

using nlohmann::json;

// Microseconds are as much as a reader can use.
double rounded(double value) { return std::round(value * 1000.0) / 1000.0; }

// The smallest value that at least `percent` of `ordered` do not exceed.
double percentile(const std::vector<double>& ordered, std::size_t percent) {
  const std::size_t rank = (ordered.size() * percent + 99) / 100;
  return ordered[std::max<std::size_t>(rank, 1) - 1];
}

Distribution distribution_of(std::vector<double> values) {
  if (values.empty()) {
    return {};
  }
  std::sort(values.begin(), values.end());
  return {.count = values.size(), .median = percentile(values, 50), .p95 = percentile(values, 95)};
}

// What a summary needs of a line; nothing if the line is not one of a metrics file.
struct Line {
  std::string command;
  std::string error;
  double total = 0;
};

std::optional<Line> read_line(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || !value.contains("command") || !value["command"].is_string() ||
      !value.contains("milliseconds") || !value["milliseconds"].is_object()) {
    return std::nullopt;
  }
  const json total = value["milliseconds"].value("total", json());
  if (!total.is_number()) {
    return std::nullopt;
  }
  const json error = value.value("error", json());
  return Line{.command = value["command"].get<std::string>(),
              .error = error.is_string() ? error.get<std::string>() : "",
              .total = total.get<double>()};
}

} // namespace

std::string to_json_line(const MetricsRecord& record) {
  nlohmann::ordered_json times{{"total", rounded(record.total_milliseconds)}};
  for (const auto& [phase, time] : record.phases) {
    times[phase] = rounded(time);
  }
  const nlohmann::ordered_json line{
      {"timestamp", rounded(record.timestamp)},
      {"command", record.command},
      {"outcome", record.outcome},
      {"exit_code", record.exit_code},
      {"error", record.error_class.empty() ? json() : json(record.error_class)},
      {"run_uid", record.run_uid ? json(*record.run_uid) : json()},
      {"waits", record.waits},
      {"milliseconds", times}};
  // A run id may hold any bytes.
  return line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

MetricsSummary summarize_metrics(std::string_view lines) {
  MetricsSummary summary;
  std::vector<double> preparation;
  std::vector<double> waiting;
  for (const std::string_view text : util::split(lines, '\n')) {
    if (util::strip(text).empty()) {
      continue;
    }
    const auto line = read_line(text);
    if (!line) {
      ++summary.unreadable_lines;
      continue;
    }
    ++summary.runs[line->command];
    if (!line->error.empty()) {
      ++summary.errors[line->error];
    } else if (line->command == "prepare") {
      preparation.push_back(line->total);
    } else if (line->command == "await") {
      waiting.push_back(line->total);
    }
  }
  summary.preparation = distribution_of(std::move(preparation));
  summary.waiting = distribution_of(std::move(waiting));
  return summary;
}

} // namespace testmon_precreate::core
