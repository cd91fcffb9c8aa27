#include <testmon_precreate/cleanup.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/run_report.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <memory>

namespace testmon_precreate::cli {

namespace {

struct Options {
  CoordinationOptions run;
  CleanupRequest request;
  std::optional<std::string> run_report;    // a file
  std::optional<std::string> workers_start; // seconds
  bool quiet = false;
};

constexpr const char* description =
    "Ends a run: removes the coordination files that this program made, and nothing else, and "
    "merges the WAL of testmon's data file, so .testmondata can be cached by itself.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate cleanup\n"
                               "  testmon-precreate cleanup --controller-pid $$";

CleanupRequest make_request(const Options& options, const Program& program) {
  CleanupRequest request = options.request;
  request.settings = program.settings;
  request.environment = program.environment;
  request.warn = [&program](const std::string& text) { program.terminal.warning(text); };
  request.working_directory = std::filesystem::current_path();
  request.rootdir = options.run.rootdir;
  options.run.apply_to(request.settings);
  request.run_uid = request.settings.run_uid;
  if (options.workers_start) {
    request.workers_start = core::parse_positive_seconds(*options.workers_start, "--workers-start");
  }
  return request;
}

// A summary is not worth an error: the run is over, and the rest has to be cleaned up.
void summarize(const Options& options, const Program& program) {
  constexpr std::size_t largest_report = 16UL * 1024 * 1024;
  if (!options.run_report) {
    return;
  }
  try {
    const std::string text = read_file_or_stdin(*options.run_report, largest_report);
    const RunReport report = parse_run_report(text, *options.run_report);
    append_summary(to_markdown(report, util::wall_clock_now().count()), program);
  } catch (const std::exception& error) {
    program.terminal.warning(std::string("no summary: ") + error.what());
  }
}

void cleanup_command(const Options& options, const Program& program) {
  summarize(options, program);
  const CleanupReport report = clean_up(make_request(options, program), program.log);
  if (!options.quiet) {
    program.terminal.out() << fmt::format("{}: {}\n", report.directory.string(),
                                          report.removed ? "coordination files removed"
                                                         : "nothing to remove");
    if (!report.datafile.empty()) {
      program.terminal.out() << fmt::format("{}: complete without its WAL\n",
                                            report.datafile.string());
    }
  }
}

} // namespace

void add_cleanup_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("cleanup", description)->footer(footer);
  add_coordination_options(*command, options->run,
                           "The run that ends (default: $PYTEST_XDIST_TESTRUNUID)");
  command
      ->add_option("--controller-pid", options->request.controller_pid,
                   "The run's controller (default: any process that this one descends from)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()))
      ->type_name("PID");
  add_text_option(*command, "--run-report", options->run_report, "FILE",
                  "What the plugin tells of the run (JSON; - for standard input): a summary in "
                  "Markdown is appended to the files of $GITHUB_STEP_SUMMARY and "
                  "$TESTMON_XDIST_SUMMARY");
  add_text_option(*command, "--workers-start", options->workers_start, "S",
                  "How long the run's workers took to start; later runs choose their number by it");
  command->add_flag("--force", options->request.force,
                    "Remove the files even if the controller of another run lives");
  command->add_flag("-q,--quiet", options->quiet, "Print errors only");
  set_action(*command, program, [options, &program] { cleanup_command(*options, program); });
}

} // namespace testmon_precreate::cli
