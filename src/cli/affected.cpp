#include <testmon_precreate/affected.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/coordination/json_text.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace testmon_precreate::cli {

namespace {

using coordination::to_json_string;
using nlohmann::ordered_json;

struct Options {
  ProjectOptions project;
  std::string since_file;
  bool exact = false;
  bool json = false;
  bool files = false;
  bool tests = false;
  bool count = false;
  bool exit_code = false;
};

constexpr int nothing_to_run = 5; // as pytest's own exit code: no tests collected
constexpr std::size_t most_lines = 20;

constexpr const char* description =
    "Shows which recorded tests the changes of the working tree can affect, without running "
    "anything and without Python: all those that testmon will run, and perhaps more, because it "
    "compares whole files (see --exact). Reads the data file and writes nothing to it.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate affected\n"
                               "  testmon-precreate affected --exit-code || echo nothing to test\n"
                               "  testmon-precreate affected --exact --tests -- tests/unit\n"
                               "  testmon-precreate affected --since-file base/.testmondata --json";

AffectedRequest make_request(const Options& options, const Program& program) {
  AffectedRequest request;
  describe_run(request, options.project, program);
  if (!options.since_file.empty()) {
    request.since_file = options.since_file;
  }
  request.exact = options.exact;
  return request;
}

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

void print_json(const Options& options, const Affected& affected, std::ostream& out) {
  ordered_json value{{"rootdir", to_json_string(affected.rootdir.string())},
                     {"database_path", to_json_string(affected.datafile.string())},
                     {"environment", nullptr},
                     {"exact", options.exact},
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
  out << coordination::dump_json(value);
}

// The changed files, those of most tests first.
std::vector<ChangedFile> by_weight(std::vector<ChangedFile> files) {
  std::stable_sort(
      files.begin(), files.end(),
      [](const ChangedFile& left, const ChangedFile& right) { return left.tests > right.tests; });
  return files;
}

// `1 test`, `2 tests`.
std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_changed_files(const Affected& affected, std::ostream& out) {
  const std::vector<ChangedFile> files = by_weight(affected.changed_files);
  const std::size_t shown = std::min(files.size(), most_lines);
  std::size_t width = std::string_view("changed file").size();
  for (std::size_t i = 0; i < shown; ++i) {
    width = std::max(width, files[i].path.size() + (files[i].gone ? 10 : 0));
  }
  if (shown > 0) {
    out << fmt::format("{:<{}}  {:>7}  {:>9}\n", "changed file", width, "tests", "seconds");
  }
  for (std::size_t i = 0; i < shown; ++i) {
    out << fmt::format("{:<{}}  {:>7}  {:>9.2f}\n",
                       files[i].path + (files[i].gone ? " (deleted)" : ""), width, files[i].tests,
                       files[i].duration.count());
  }
  if (shown < files.size()) {
    out << fmt::format("and {} more\n", counted(files.size() - shown, "file"));
  }
}

void print_unknown_files(const Affected& affected, std::ostream& out) {
  const std::size_t shown = std::min(affected.unknown_test_files.size(), most_lines);
  for (std::size_t i = 0; i < shown; ++i) {
    out << "no data: " << affected.unknown_test_files[i] << '\n';
  }
  if (shown < affected.unknown_test_files.size()) {
    out << fmt::format("no data: {} more\n",
                       counted(affected.unknown_test_files.size() - shown, "test file"));
  }
}

void print_text(const Affected& affected, std::ostream& out) {
  print_changed_files(affected, out);
  print_unknown_files(affected, out);
  const auto failed = std::count_if(affected.tests.begin(), affected.tests.end(),
                                    [](const AffectedTest& test) { return test.failed; });
  out << fmt::format("{} of {}, about {:.1f} s of {:.1f} s", affected.tests.size(),
                     counted(affected.recorded_tests, "test"), affected.duration().count(),
                     affected.recorded_duration.count());
  if (failed > 0) {
    out << fmt::format("; {} of them failed last time", failed);
  }
  if (!affected.unknown_test_files.empty()) {
    out << fmt::format("; {} without data",
                       counted(affected.unknown_test_files.size(), "test file"));
  }
  out << '\n';
}

void print(const Options& options, const Affected& affected, std::ostream& out) {
  if (options.json) {
    print_json(options, affected, out);
  } else if (options.count) {
    out << affected.tests.size() << '\n';
  } else if (options.files) {
    for (const std::string& file : affected.test_files_to_run()) {
      out << file << '\n';
    }
  } else if (options.tests) {
    for (const AffectedTest& test : affected.tests) {
      out << test.name << '\n';
    }
  } else {
    print_text(affected, out);
  }
}

int affected_command(const Options& options, const Program& program) {
  const Affected affected = find_affected(make_request(options, program), program.log);
  for (const std::string& warning : affected.warnings) {
    program.terminal.warning(warning);
  }
  print(options, affected, program.terminal.out());
  return options.exit_code && affected.nothing_to_run() ? nothing_to_run : 0;
}

} // namespace

void add_affected_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("affected", description);
  command->footer(footer);
  add_project_options(*command, options->project);
  command
      ->add_option("--since-file", options->since_file,
                   "Compare with this data file instead, such as that of the merge base")
      ->type_name("FILE");
  command->add_flag("--exact", options->exact,
                    "Ask the interpreter that runs pytest, once, which functions have changed: "
                    "exactly what testmon will run");
  CLI::Option_group* output =
      command->add_option_group("Output", "What to print instead of a table, at most one");
  output->add_flag("--json", options->json, "Everything as JSON");
  output->add_flag("--files", options->files, "The test files that hold something to run");
  output->add_flag("--tests", options->tests, "The recorded tests to run");
  output->add_flag("--count", options->count, "The number of recorded tests to run");
  output->require_option(0, 1);
  command->add_flag("--exit-code", options->exit_code, "Exit with 5 where there is nothing to run");
  command->callback(
      [options, &program] { program.exit_code = affected_command(*options, program); });
}

} // namespace testmon_precreate::cli
