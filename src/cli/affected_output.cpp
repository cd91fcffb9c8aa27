#include "testmon_precreate/cli/affected_output.hpp"
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace testmon_precreate::cli {

namespace {

using core::to_json_string;
using nlohmann::ordered_json;

ordered_json describe(const ChangedFile& file) {
  return {{"path", to_json_string(file.path)},
          {"change", file.gone ? "deleted" : "modified"},
          {"tests", file.tests},
          {"seconds", file.duration.count()}};
}

ordered_json describe(const AffectedTest& test, const Affected& affected) {
  ordered_json files = ordered_json::array();
  for (const std::size_t file : test.changed_files) {
    files.push_back(to_json_string(affected.changed_files[file].path));
  }
  ordered_json seconds = nullptr;
  if (test.duration) {
    seconds = test.duration->count();
  }
  return {{"name", to_json_string(test.name)},
          {"seconds", seconds},
          {"failed", test.failed},
          {"changed_files", files}};
}

ordered_json describe(const std::vector<std::string>& texts) {
  ordered_json array = ordered_json::array();
  for (const std::string& text : texts) {
    array.push_back(to_json_string(text));
  }
  return array;
}

ordered_json describe(const datafile::EnvironmentRow& row) {
  return {{"id", row.id},
          {"environment_name", to_json_string(row.environment.name)},
          {"python_version", to_json_string(row.environment.python_version)},
          {"parked", row.parked}};
}

// The changed files, those of most tests first.
std::vector<ChangedFile> by_weight(std::vector<ChangedFile> files) {
  std::stable_sort(
      files.begin(), files.end(),
      [](const ChangedFile& left, const ChangedFile& right) { return left.tests > right.tests; });
  return files;
}

void print_changed_files(const Affected& affected, std::size_t most_lines, std::ostream& out) {
  std::vector<ChangedFile> files = by_weight(affected.changed_files);
  const std::size_t hidden = files.size() - std::min(files.size(), most_lines);
  files.resize(files.size() - hidden);
  std::size_t width = std::string_view("changed file").size();
  for (ChangedFile& file : files) {
    file.path += file.gone ? " (deleted)" : "";
    width = std::max(width, file.path.size());
  }
  if (!files.empty()) {
    out << fmt::format("{:<{}}  {:>7}  {:>9}\n", "changed file", width, "tests", "seconds");
  }
  for (const ChangedFile& file : files) {
    out << fmt::format("{:<{}}  {:>7}  {:>9.2f}\n", file.path, width, file.tests,
                       file.duration.count());
  }
  if (hidden > 0) {
    out << fmt::format("and {} more\n", util::counted(hidden, "file"));
  }
}

void print_unknown_files(const Affected& affected, std::size_t most_lines, std::ostream& out) {
  const std::size_t shown = std::min(affected.unknown_test_files.size(), most_lines);
  for (std::size_t i = 0; i < shown; ++i) {
    out << "no data of " << affected.unknown_test_files[i] << '\n';
  }
  if (shown < affected.unknown_test_files.size()) {
    out << fmt::format("no data of {} more\n",
                       util::counted(affected.unknown_test_files.size() - shown, "test file"));
  }
}

void print_sums(const Affected& affected, std::ostream& out) {
  out << fmt::format("{} of {}, about {:.1f} s of {:.1f} s", affected.tests.size(),
                     util::counted(affected.recorded_tests, "test"), affected.duration().count(),
                     affected.recorded_duration.count());
  const auto failed = std::count_if(affected.tests.begin(), affected.tests.end(),
                                    [](const AffectedTest& test) { return test.failed; });
  if (failed > 0) {
    out << fmt::format("; {} failed last time", failed);
  }
  if (!affected.unknown_test_files.empty()) {
    out << fmt::format("; and those of {} without data",
                       util::counted(affected.unknown_test_files.size(), "test file"));
  }
  out << '\n';
}

} // namespace

ordered_json to_json_value(const Affected& affected) {
  ordered_json value{{"rootdir", to_json_string(affected.rootdir.string())},
                     {"database_path", to_json_string(affected.datafile.string())},
                     {"environment", nullptr},
                     {"nothing_to_run", affected.nothing_to_run()},
                     {"recorded_tests", affected.recorded_tests},
                     {"recorded_seconds", affected.recorded_duration.count()},
                     {"affected_tests", affected.tests.size()},
                     {"affected_seconds", affected.duration().count()},
                     {"changed_files", ordered_json::array()},
                     {"tests", ordered_json::array()},
                     {"unknown_test_files", describe(affected.unknown_test_files)},
                     {"gone_tests", describe(affected.gone_tests)}};
  if (affected.environment) {
    value["environment"] = describe(*affected.environment);
  }
  for (const ChangedFile& file : affected.changed_files) {
    value["changed_files"].push_back(describe(file));
  }
  for (const AffectedTest& test : affected.tests) {
    value["tests"].push_back(describe(test, affected));
  }
  return value;
}

void print_affected(const Affected& affected, std::size_t most_lines, std::ostream& out) {
  print_changed_files(affected, most_lines, out);
  print_unknown_files(affected, most_lines, out);
  print_sums(affected, out);
}

} // namespace testmon_precreate::cli
