#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/prepare_options.hpp>
#include <testmon_precreate/controller.hpp>
#include <testmon_precreate/datafile/upgrade.hpp>
#include <testmon_precreate/python/package_text.hpp>

#include <fmt/format.h>

#include <limits>
#include <map>
#include <memory>
#include <optional>

namespace testmon_precreate::cli {

namespace {

struct Options {
  PrepareOptions prepare;
  bool json = false;
};

constexpr const char* description =
    "Makes a project ready for `pytest --testmon -n`: computes the environment testmon will look "
    "for, "
    "creates its row in the data file, and writes the coordination state for the workers.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate prepare -n 4 -- tests/unit\n"
                               "  testmon-precreate prepare -n 4 -- python -m pytest tests/unit\n"
                               "  testmon-precreate prepare --dry-run --json\n"
                               "  testmon-precreate prepare --python .venv/bin/python -q";

void print_summary(const PrepareReport& report, bool dry_run, const Terminal& terminal) {
  const coordination::CoordinationState& state = report.state;
  terminal.out() << fmt::format(
      "environment  {} ({}{}): Python {}, {} packages{}\n"
      "data file    {} (data version {}, testmon {})\n"
      "test files   {}\n",
      state.environment_name, dry_run ? "would be " : "", state.environment_action,
      state.python_version, python::package_count(state.system_packages),
      state.packages_changed ? ", changed since the last run" : "", state.database_path,
      state.data_version, state.testmon_version, state.precreated_entries.test_file_count);
  if (const auto from = state.precreated_entries.upgraded_from) {
    terminal.out() << fmt::format("converted    {}from data version {}, a copy of it {} {}\n",
                                  dry_run ? "would be " : "", *from, dry_run ? "in" : "is in",
                                  datafile::backup_path(state.database_path, *from).string());
  }
  if (state.precreated_entries.parked_environments > 0) {
    terminal.out() << fmt::format("parked       {}\n",
                                  state.precreated_entries.parked_environments);
  }
}

void add_worker_options(CLI::App& command, PrepareRequest& request) {
  using selection::Grouping;
  command
      .add_option("--right-size", request.grouping,
                  "Tell how many of the N workers pay off for what will run, if xdist "
                  "distributes it by MODE (its --dist): the state's expected_workers")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, Grouping>{{"load", Grouping::test},
                                                                  {"worksteal", Grouping::test},
                                                                  {"loadgroup", Grouping::test},
                                                                  {"loadfile", Grouping::file},
                                                                  {"loadscope", Grouping::scope}}))
      ->type_name("MODE");
  command
      .add_option("--least-workers", request.least_workers,
                  "With --right-size: how many there are at least")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->capture_default_str()
      ->type_name("N");
}

void prepare_command(const Options& options, Program& program) {
  const PrepareRequest request = make_prepare_request(options.prepare, program);
  const PrepareReport report = prepare(request, make_log(options.prepare, program));
  program.stopwatch.append(report.times);
  program.settings.run_uid = report.state.run_uid;
  if (options.json) {
    program.terminal.out() << coordination::to_json(report.state);
  } else if (!options.prepare.quiet) {
    print_summary(report, request.dry_run, program.terminal);
  }
}

} // namespace

void add_prepare_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("prepare", description)->footer(footer);
  add_prepare_options(*command, options->prepare);
  command->add_flag("--dry-run", options->prepare.request.dry_run,
                    "Report what would be done, write nothing");
  command->add_flag("--json", options->json, "Print the coordination state as JSON");
  add_worker_options(*command, options->prepare.request);
  set_action(*command, program, [options, &program] { prepare_command(*options, program); });
}

} // namespace testmon_precreate::cli
