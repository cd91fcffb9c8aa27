#include "testmon_precreate/cli/common_options.hpp"
#include <testmon_precreate/util/files.hpp>

#include <utility>

namespace testmon_precreate::cli {

void add_keep_option(CLI::App& command, std::size_t& keep, const std::string& help) {
  constexpr int most_kept = 1'000'000;
  command.add_option("--keep-environments", keep, help)
      ->capture_default_str()
      ->check(CLI::Range(0, most_kept))
      ->type_name("N");
}

void CoordinationOptions::apply_to(core::Settings& settings) const {
  if (datafile) {
    settings.datafile = datafile;
  }
  if (run_uid) {
    settings.run_uid = run_uid;
  }
}

void add_coordination_options(CLI::App& command, CoordinationOptions& options,
                              const std::string& run_uid_help) {
  add_text_option(command, "--rootdir", options.rootdir, "DIR",
                  "pytest's rootdir (default: the working directory or the nearest parent that has "
                  "a coordination directory)");
  add_text_option(command, "--datafile", options.datafile, "FILE",
                  "testmon's data file, which the coordination directory lies beside (default: "
                  "$TESTMON_DATAFILE, else .testmondata)");
  add_text_option(command, "--run-uid", options.run_uid, "UID", run_uid_help);
}

void add_wait_options(CLI::App& command, WaitOptions& options) {
  add_text_option(command, "--timeout", options.timeout, "S",
                  "Give up after S seconds (default: $TESTMON_XDIST_WORKER_TIMEOUT, else 30)");
  add_text_option(
      command, "--interval", options.interval, "S",
      "First interval between looks (default: $TESTMON_XDIST_CHECK_INTERVAL, else 0.1)");
  add_text_option(
      command, "--backoff", options.backoff, "F",
      "Growth of the interval, above 1 (default: $TESTMON_XDIST_BACKOFF_FACTOR, else 1.5)");
  add_text_option(command, "--max-interval", options.max_interval, "S",
                  "Its ceiling (default: $TESTMON_XDIST_MAX_INTERVAL, else 2)");
  add_text_option(
      command, "--max-age", options.max_age, "S",
      "A state that is older is stale; 0: never (default: $TESTMON_XDIST_STATE_MAX_AGE, else 300)");
}

void WaitOptions::apply_to(core::Settings& settings) const {
  if (timeout) {
    settings.worker_timeout = core::parse_seconds(*timeout, "--timeout");
  }
  if (interval) {
    settings.check_interval = core::parse_positive_seconds(*interval, "--interval");
  }
  if (backoff) {
    settings.backoff_factor = core::parse_backoff_factor(*backoff, "--backoff");
  }
  if (max_interval) {
    settings.max_interval = core::parse_positive_seconds(*max_interval, "--max-interval");
  }
  if (max_age) {
    settings.state_max_age = core::parse_seconds(*max_age, "--max-age");
  }
}

void set_action(CLI::App& command, const Program& program, std::function<void()> action) {
  command.callback([&program, action = std::move(action)] {
    if (!switched_off(program)) {
      action();
    }
  });
}

std::string read_file_or_stdin(const std::string& file, std::size_t limit) {
  return util::read_file(file == "-" ? "/dev/stdin" : file, limit);
}

} // namespace testmon_precreate::cli
