#include "testmon_precreate/cli/metrics_output.hpp"
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/core/metrics.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace testmon_precreate::cli {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t largest_metrics = 256UL * 1024 * 1024;

ordered_json describe(const core::Distribution& distribution) {
  if (distribution.count == 0) {
    return {{"count", 0}, {"median_ms", nullptr}, {"p95_ms", nullptr}};
  }
  return {{"count", distribution.count},
          {"median_ms", distribution.median},
          {"p95_ms", distribution.p95}};
}

std::string distribution_text(const core::Distribution& distribution) {
  return distribution.count == 0
             ? "none"
             : fmt::format("{} runs, median {:.1f} ms, p95 {:.1f} ms", distribution.count,
                           distribution.median, distribution.p95);
}

} // namespace

void print_metrics(const std::filesystem::path& file, bool as_json, std::ostream& out) {
  const core::MetricsSummary summary =
      core::summarize_metrics(util::read_file(file, largest_metrics));
  if (as_json) {
    out << core::dump_json({{"runs", summary.runs},
                            {"errors", summary.errors},
                            {"preparation", describe(summary.preparation)},
                            {"waiting", describe(summary.waiting)},
                            {"unreadable_lines", summary.unreadable_lines}});
    return;
  }
  const auto counts = [](const auto& numbers) {
    std::vector<std::string> parts;
    parts.reserve(numbers.size());
    for (const auto& [name, count] : numbers) {
      parts.push_back(fmt::format("{} {}", name, count));
    }
    return parts.empty() ? std::string("none") : fmt::format("{}", fmt::join(parts, ", "));
  };
  out << fmt::format("runs         {}\nerrors       {}\npreparation  {}\nwaiting      {}\n",
                     counts(summary.runs), counts(summary.errors),
                     distribution_text(summary.preparation), distribution_text(summary.waiting));
  if (summary.unreadable_lines > 0) {
    out << fmt::format("unreadable   {} lines\n", summary.unreadable_lines);
  }
}

} // namespace testmon_precreate::cli
