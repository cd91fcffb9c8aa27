#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/cli/pytest_command.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/util/text.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace testmon_precreate::cli {

namespace {

using core::to_json_string;
using nlohmann::ordered_json;

struct Options {
  DoctorRequest request;
  bool json = false;
};

constexpr const char* description =
    "Looks for what keeps testmon from selecting tests here: options in addopts that switch "
    "selection off, versions, the plugin, coverage's core, a data file that is missing, damaged or "
    "not saved, packages that change with each run, tests that depend on no code. Each finding "
    "comes with its place and its cure. Changes nothing. Exits with 1 if selection cannot work.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate doctor\n"
                               "  testmon-precreate doctor -- python -m pytest --testmon -n 4\n"
                               "  testmon-precreate doctor --json | jq '.findings[].id'\n"
                               "  testmon-precreate doctor --thorough";

ordered_json describe(const Diagnosis& diagnosis) {
  ordered_json value{{"rootdir", to_json_string(diagnosis.rootdir.string())},
                     {"database_path", to_json_string(diagnosis.datafile.string())},
                     {"can_select", diagnosis.can_select()},
                     {"findings", ordered_json::array()}};
  for (const Finding& finding : diagnosis.findings) {
    value["findings"].push_back({{"id", finding.id},
                                 {"level", finding.is_problem ? "problem" : "note"},
                                 {"what", to_json_string(finding.what)},
                                 {"where", to_json_string(finding.where)},
                                 {"cure", to_json_string(finding.cure)}});
  }
  return value;
}

void print(const Diagnosis& diagnosis, std::ostream& out) {
  std::size_t problems = 0;
  for (const bool is_problem : {true, false}) {
    for (const Finding& finding : diagnosis.findings) {
      if (finding.is_problem == is_problem) {
        out << fmt::format("{:<7}  {}\n  where  {}\n  cure   {}\n", is_problem ? "problem" : "note",
                           finding.what, finding.where, finding.cure);
        problems += is_problem ? 1 : 0;
      }
    }
  }
  out << fmt::format("{}, {}: {}\n", util::counted(problems, "problem"),
                     util::counted(diagnosis.findings.size() - problems, "note"),
                     diagnosis.can_select() ? "selection can work here"
                                            : "selection cannot work here");
}

int doctor_command(const Options& options, const Program& program) {
  DoctorRequest request = options.request;
  describe_run(request, program);
  request.is_whole_command =
      program.after_dashes && find_leading_command(*program.after_dashes).has_value();
  request.progress = [&program](const std::string& text) { program.terminal.note(text); };
  const Diagnosis diagnosis = examine(request, program.log);
  if (options.json) {
    program.terminal.out() << core::dump_json(describe(diagnosis));
  } else {
    print(diagnosis, program.terminal.out());
  }
  return diagnosis.can_select() ? 0 : 1;
}

} // namespace

void add_doctor_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("doctor", description)->footer(footer);
  add_project_options(*command, options->request);
  command->add_flag("--thorough", options->request.thorough,
                    "Read the whole data file to see whether it is damaged");
  command->add_flag("--json", options->json, "Everything as JSON");
  command->callback([options, &program] { program.exit_code = doctor_command(*options, program); });
}

} // namespace testmon_precreate::cli
