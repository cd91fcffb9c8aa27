#include <testmon_precreate/cli/affected_output.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/coordination/json_text.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <memory>

namespace testmon_precreate::cli {

namespace {

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

constexpr const char* footer =
    "Examples:\n"
    "  testmon-precreate affected\n"
    "  testmon-precreate affected --exit-code; test $? -eq 5 && echo nothing to run\n"
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

void print(const Options& options, const Affected& affected, std::ostream& out) {
  if (options.json) {
    out << coordination::dump_json(to_json_value(affected));
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
    print_affected(affected, most_lines, out);
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
