#include <testmon_precreate/cli/affected_output.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/explain.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <memory>

namespace testmon_precreate::cli {

namespace {

using core::to_json_string;
using nlohmann::ordered_json;

struct Options {
  AffectedRequest request;
  std::optional<std::string> subject;
  bool json = false;
};

constexpr std::size_t most_lines = 8;

constexpr const char* description =
    "Tells why tests will run again: packages, Python and data version that the run will want "
    "beside the nearest environment in the data file, the parked ones too; changed files and the "
    "tests that depend on them; failures. For a test: which of its files have changed. Asks the "
    "interpreter; changes nothing.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate explain\n"
                               "  testmon-precreate explain tests/test_cart.py::test_total\n"
                               "  testmon-precreate explain src/shop/price.py\n"
                               "  testmon-precreate explain --json";

const char* word_for(RecordedFileState state) {
  switch (state) {
  case RecordedFileState::unchanged:
    return "unchanged";
  case RecordedFileState::modified:
    return "modified";
  case RecordedFileState::deleted:
    break;
  }
  return "deleted";
}

// --- JSON ---

ordered_json text_or_null(const std::optional<std::string>& text) {
  return text ? ordered_json(to_json_string(*text)) : ordered_json(nullptr);
}

ordered_json describe(const Subject& subject) {
  ordered_json value{
      {"name", to_json_string(subject.name)}, {"kind", subject.is_test ? "test" : "file"},
      {"recorded", subject.is_recorded},      {"failed", subject.failed},
      {"files", ordered_json::array()},       {"tests", ordered_json::array()}};
  for (const RecordedFile& file : subject.files) {
    value["files"].push_back(
        {{"path", to_json_string(file.path)}, {"state", word_for(file.state)}});
  }
  for (const std::string& test : subject.tests) {
    value["tests"].push_back(to_json_string(test));
  }
  return value;
}

ordered_json names_of(const std::set<std::string>& names) {
  ordered_json list = ordered_json::array();
  std::transform(names.begin(), names.end(), std::back_inserter(list), to_json_string);
  return list;
}

ordered_json describe(const Explanation& explanation) {
  ordered_json value = to_json_value(explanation.affected);
  value["data_version"] = explanation.affected.data_version;
  value["wanted"] = nullptr;
  value["package_changes"] = ordered_json::array();
  value["subject"] = nullptr;
  if (explanation.wanted) {
    value["wanted"] = {{"environment_name", to_json_string(explanation.wanted->environment_name)},
                       {"python_version", explanation.wanted->python_version},
                       {"testmon_version", explanation.testmon_version},
                       {"data_version", explanation.wanted_data_version},
                       {"matches", explanation.matches}};
  }
  for (const PackageChange& change : explanation.packages) {
    value["package_changes"].push_back({{"name", to_json_string(change.name)},
                                        {"before", text_or_null(change.before)},
                                        {"after", text_or_null(change.after)}});
  }
  value["own_versions"] = names_of(explanation.own_versions);
  value["own_changes"] = names_of(explanation.own_changes);
  if (explanation.subject) {
    value["subject"] = describe(*explanation.subject);
  }
  return value;
}

// --- Text ---

std::string text_of(const PackageChange& change) {
  if (!change.before) {
    return fmt::format("+ {} {}", change.name, *change.after);
  }
  if (!change.after) {
    return fmt::format("- {} {}", change.name, *change.before);
  }
  return fmt::format("{} {} -> {}", change.name, *change.before, *change.after);
}

void print_own_distributions(const Explanation& explanation, std::ostream& out) {
  for (const PackageChange& change : explanation.packages) {
    if (explanation.own_versions.contains(change.name)) {
      out << fmt::format("own          {}: the project's own version is no dependency\n",
                         text_of(change));
    }
  }
  for (const std::string& name : explanation.own_changes) {
    out << fmt::format("own          {}: its entry points or requirements have changed\n", name);
  }
}

void print_packages(const Explanation& explanation, std::ostream& out) {
  std::vector<std::string> texts;
  for (const PackageChange& change : explanation.packages) {
    if (!explanation.own_versions.contains(change.name)) {
      texts.push_back(text_of(change));
    }
  }
  const std::size_t hidden = texts.size() - std::min(texts.size(), most_lines);
  texts.resize(texts.size() - hidden);
  if (hidden > 0) {
    texts.push_back(fmt::format("and {} more", hidden));
  }
  if (!texts.empty()) {
    out << fmt::format("packages     {}\n", fmt::join(texts, "\n             "));
  }
}

void print_differences(const Explanation& explanation, std::ostream& out) {
  const datafile::EnvironmentRow& row = *explanation.affected.environment;
  out << fmt::format("nearest      environment {}{}, {}\n", row.id, row.parked ? ", parked" : "",
                     util::counted(explanation.affected.recorded_tests, "test"));
  print_packages(explanation, out);
  if (row.environment.python_version != explanation.wanted->python_version) {
    out << fmt::format("Python       {} -> {}\n", row.environment.python_version,
                       explanation.wanted->python_version);
  }
}

void print_environment(const Explanation& explanation, std::ostream& out) {
  const Affected& affected = explanation.affected;
  if (!affected.environment) {
    out << fmt::format("environment  no data ({}): every test runs\n", affected.datafile.string());
    return;
  }
  const datafile::EnvironmentRow& row = *affected.environment;
  if (!explanation.wanted) {
    out << fmt::format("environment  {}, the newest one of its name\n", row.id);
  } else if (explanation.matches) {
    out << fmt::format("environment  {} has these packages and Python {}{}\n", row.id,
                       row.environment.python_version,
                       row.parked ? "; it is parked, `prepare` brings it back" : "");
  } else {
    out << fmt::format("environment  no data of {} with these packages and this Python: every test "
                       "runs\n",
                       explanation.wanted->environment_name);
    print_differences(explanation, out);
  }
  print_own_distributions(explanation, out);
  if (explanation.wanted && affected.data_version != explanation.wanted_data_version) {
    out << fmt::format("data version {}, testmon {} reads {}: `prepare` rewrites the file, testmon "
                       "alone would start with an empty one\n",
                       affected.data_version, explanation.testmon_version,
                       explanation.wanted_data_version);
  }
}

void print_failures(const Affected& affected, std::ostream& out) {
  std::vector<std::string> failed;
  for (const AffectedTest& test : affected.tests) {
    if (test.failed) {
      failed.push_back(test.name);
    }
  }
  const std::size_t hidden = failed.size() - std::min(failed.size(), most_lines);
  failed.resize(failed.size() - hidden);
  for (const std::string& name : failed) {
    out << "failed " << name << '\n';
  }
  if (hidden > 0) {
    out << fmt::format("failed {} more\n", util::counted(hidden, "test"));
  }
}

bool runs_again(const Explanation& explanation, const std::string& test) {
  const auto& tests = explanation.affected.tests;
  return (explanation.wanted && !explanation.matches) ||
         std::any_of(tests.begin(), tests.end(),
                     [&test](const AffectedTest& affected) { return affected.name == test; });
}

void print_subject(const Explanation& explanation, std::ostream& out) {
  const Subject& subject = *explanation.subject;
  if (!subject.is_recorded) {
    out << fmt::format("{}: {}\n", subject.name,
                       subject.is_test ? "no data of it, it runs" : "no recorded test uses it");
    return;
  }
  if (subject.is_test) {
    out << fmt::format("{}: {}{}\n", subject.name,
                       runs_again(explanation, subject.name) ? "runs again" : "does not run",
                       subject.failed ? ", it failed last time" : "");
    const bool again = runs_again(explanation, subject.name);
    for (const RecordedFile& file : subject.files) {
      const bool elsewhere = !again && file.state == RecordedFileState::modified;
      out << fmt::format("  {:<9}  {}{}\n", word_for(file.state), file.path,
                         elsewhere ? ", but not in what the test uses" : "");
    }
    return;
  }
  const auto again =
      std::count_if(subject.tests.begin(), subject.tests.end(),
                    [&](const std::string& test) { return runs_again(explanation, test); });
  out << fmt::format("{}: {}, {} use it, {} of them run again\n", subject.name,
                     word_for(subject.files.front().state),
                     util::counted(subject.tests.size(), "test"), again);
  for (std::size_t i = 0; i < std::min(subject.tests.size(), most_lines); ++i) {
    out << "  " << subject.tests[i] << '\n';
  }
  if (subject.tests.size() > most_lines) {
    out << fmt::format("  and {} more\n", subject.tests.size() - most_lines);
  }
}

void explain_command(const Options& options, const Program& program) {
  AffectedRequest request = options.request;
  describe_run(request, program);
  const Explanation explanation = explain(request, options.subject, program.log);
  std::ostream& out = program.terminal.out();
  for (const std::string& warning : explanation.affected.warnings) {
    program.terminal.warning(warning);
  }
  if (options.json) {
    out << core::dump_json(describe(explanation));
    return;
  }
  print_environment(explanation, out);
  if (explanation.subject) {
    print_subject(explanation, out);
    return;
  }
  if (explanation.wanted && !explanation.matches && explanation.affected.environment) {
    out << "Apart from that, since the nearest environment ran:\n";
  }
  print_failures(explanation.affected, out);
  print_affected(explanation.affected, most_lines, out);
}

} // namespace

void add_explain_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("explain", description)->footer(footer);
  add_project_options(*command, options->request);
  add_text_option(*command, "subject", options->subject, "TEST|FILE",
                  "A recorded test, as testmon names it, or a file (default: the whole project)");
  command->add_flag("--json", options->json, "Everything as JSON");
  command->callback([options, &program] { explain_command(*options, program); });
}

} // namespace testmon_precreate::cli
