#include "testmon_precreate/cli/run_report.hpp"
#include <testmon_precreate/core/json_reader.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace testmon_precreate::cli {

namespace {

constexpr std::size_t largest_report = 16UL * 1024 * 1024;
constexpr std::size_t most_lines = 50;

// As inline code: a test's name may hold anything.
std::string code(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '`' || c == '\n' || c == '\r'; }, '\'');
  return fmt::format("`{}`", text);
}

std::string age_text(double seconds) {
  constexpr double minute = 60;
  constexpr double hour = 60 * minute;
  constexpr double day = 24 * hour;
  if (seconds < 2 * minute) {
    return fmt::format("{:.0f} s", std::max(seconds, 0.0));
  }
  if (seconds < 2 * hour) {
    return fmt::format("{:.0f} minutes", seconds / minute);
  }
  return seconds < 2 * day ? fmt::format("{:.0f} hours", seconds / hour)
                           : fmt::format("{:.0f} days", seconds / day);
}

// Why nothing was skipped; empty if something was.
std::string reason_for_all(const RunReport& report) {
  if (!report.why_all.empty()) {
    return "selection was off: " + report.why_all;
  }
  if (report.skipped > 0) {
    return {};
  }
  if (!report.base_modified) {
    return "there was no data file";
  }
  if (report.packages_changed) {
    return "packages or Python have changed";
  }
  return report.recorded == 0 ? "nothing was recorded of this environment"
                              : "the changes affect every recorded test";
}

std::string base_text(const RunReport& report, double now) {
  std::string text = code(report.datafile);
  text += report.base_modified
              ? fmt::format(", last written {} before", age_text(now - *report.base_modified))
              : ", which was not there";
  if (!report.environment_action.empty()) {
    text += fmt::format("; environment {} {}", code(report.environment_name),
                        report.environment_action);
  }
  return text;
}

std::string missed_text(const RunReport& report) {
  if (report.missed.empty()) {
    return fmt::format("- **Audit:** selection would have missed no failure\n");
  }
  std::string text = fmt::format("- **Audit:** selection would have missed {}:\n",
                                 util::counted(report.missed.size(), "failure"));
  for (std::size_t i = 0; i < std::min(report.missed.size(), most_lines); ++i) {
    text += fmt::format("  - {}\n", code(report.missed[i]));
  }
  if (report.missed.size() > most_lines) {
    text += fmt::format("  - and {} more\n", report.missed.size() - most_lines);
  }
  return text;
}

} // namespace

RunReport parse_run_report(std::string_view text, const std::string& source) {
  const nlohmann::json value = core::parse_json(text, largest_report, source);
  const core::JsonReader reader(value, source);
  RunReport report;
  report.is_audit = reader.boolean("is_audit");
  report.why_all = reader.text("why_all");
  report.recorded = reader.integer<std::size_t>("recorded");
  report.executed = reader.integer<std::size_t>("executed");
  report.skipped = reader.integer<std::size_t>("skipped");
  report.skipped_seconds = reader.number("skipped_seconds");
  report.failed = reader.integer<std::size_t>("failed");
  report.datafile = reader.text("datafile");
  report.environment_name = reader.text("environment_name");
  report.environment_action = reader.text("environment_action");
  report.packages_changed = reader.boolean("packages_changed");
  if (!reader.is_null("base_modified")) {
    report.base_modified = reader.number("base_modified");
  }
  if (!reader.has("missed") || !value.at("missed").is_array()) {
    reader.refuse("missed", "must be a list");
  }
  for (const nlohmann::json& name : value.at("missed")) {
    if (!name.is_string()) {
      reader.refuse("missed", "must be a list of strings");
    }
    report.missed.push_back(core::from_json_string(name.get<std::string>()));
  }
  return report;
}

std::string to_markdown(const RunReport& report, double now) {
  const bool audit = report.is_audit;
  std::string text = fmt::format("### testmon{}: {} ran, {} {}\n\n", audit ? " audit" : "",
                                 util::counted(report.executed, "test"), report.skipped,
                                 audit ? "would have been skipped" : "skipped");
  text += fmt::format("- **Failed:** {}\n", report.failed);
  text += fmt::format("- **Saved:** {:.1f} s by recorded durations{}\n", report.skipped_seconds,
                      audit ? ", without the audit" : "");
  if (const std::string reason = reason_for_all(report); !reason.empty()) {
    text += fmt::format("- **Why all:** {}\n", reason);
  }
  text += fmt::format("- **Base:** {}\n", base_text(report, now));
  if (report.is_audit) {
    text += missed_text(report);
  }
  return text + '\n';
}

void append_summary(const std::string& markdown, const Program& program) {
  std::set<std::filesystem::path> files;
  for (const char* variable : {"GITHUB_STEP_SUMMARY", "TESTMON_XDIST_SUMMARY"}) {
    const std::string file = program.environment.get(variable).value_or("");
    if (file.empty() || !files.insert(file).second) {
      continue;
    }
    try {
      util::append_line(file, markdown);
    } catch (const std::filesystem::filesystem_error& error) {
      program.terminal.warning(std::string("no summary: ") +
                               core::CoordinationFileError(error).what());
    }
  }
}

} // namespace testmon_precreate::cli
