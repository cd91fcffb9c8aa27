#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/coordination/waiter.hpp>
#include <testmon_precreate/worker.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

namespace testmon_precreate::cli {

namespace {

struct Options {
  CoordinationOptions run;
  WaitOptions wait;
  int workers = 0;
  bool quiet = false;
};

constexpr int most_workers = 10'000;

constexpr const char* description = "Blocks until the expected number of workers has acknowledged "
                                    "the state of the run; names those "
                                    "that are missing when the time is up (exit code 7).";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate wait --timeout 60\n"
                               "  testmon-precreate wait -n 4 --run-uid \"$RUN\"";

struct Expected {
  int workers = 0;
  std::optional<std::string> run_uid;
};

// What the options leave open is in the state, which a `prepare` at work may still have to write.
Expected expectation(int workers, const core::Settings& settings, Program& program,
                     const coordination::CoordinationDirectory& directory,
                     const coordination::WaitPolicy& policy) {
  Expected expected{.workers = workers, .run_uid = settings.run_uid};
  if (expected.workers == 0 || !expected.run_uid) {
    const auto result = coordination::wait_for_state(directory, expected.run_uid, policy);
    program.waits = result.looks;
    program.stopwatch.lap("state");
    expected.workers = workers == 0 ? result.state.expected_workers : workers;
    expected.run_uid = expected.run_uid ? expected.run_uid : result.state.run_uid;
  }
  if (expected.workers == 0) {
    throw core::UsageError({.what = "the state does not say how many workers to expect",
                            .where = directory.state_path().string(),
                            .hint = "Give --workers N"});
  }
  return expected;
}

void wait_command(const Options& options, Program& program) {
  core::Settings settings = program.settings;
  options.wait.apply_to(settings);
  options.run.apply_to(settings);
  const coordination::CoordinationDirectory directory(coordination::find_coordination_directory(
      std::filesystem::current_path(), options.run.rootdir, settings));
  coordination::WaitPolicy policy = wait_policy(settings);
  const Expected expected = expectation(options.workers, settings, program, directory, policy);
  policy.timeout -= util::Seconds(program.stopwatch.total() / 1000.0);
  const auto acknowledgments =
      coordination::wait_for_acknowledgments(directory, expected.run_uid, expected.workers, policy);
  program.stopwatch.lap("acknowledgments");
  if (!options.quiet) {
    program.terminal.out() << fmt::format("{} of {} workers have acknowledged\n",
                                          acknowledgments.size(), expected.workers);
  }
}

} // namespace

void add_wait_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("wait", description)->footer(footer);
  add_coordination_options(
      *command, options->run,
      "Count acknowledgments of this run only (default: $PYTEST_XDIST_TESTRUNUID, else "
      "the state's run)");
  command
      ->add_option("-n,--workers", options->workers,
                   "Number of workers to wait for (default: the state's)")
      ->check(CLI::Range(1, most_workers))
      ->type_name("N");
  add_wait_options(*command, options->wait);
  command->add_flag("-q,--quiet", options->quiet, "Print errors only");
  set_action(*command, program, [options, &program] { wait_command(*options, program); });
}

} // namespace testmon_precreate::cli
