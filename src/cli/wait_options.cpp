#include "testmon_precreate/cli/wait_options.hpp"
#include <testmon_precreate/cli/common_options.hpp>

namespace testmon_precreate::cli {

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

void apply_wait_options(const WaitOptions& options, core::Settings& settings) {
  if (options.timeout) {
    settings.worker_timeout = core::parse_seconds(*options.timeout, "--timeout");
  }
  if (options.interval) {
    settings.check_interval = core::parse_positive_seconds(*options.interval, "--interval");
  }
  if (options.backoff) {
    settings.backoff_factor = core::parse_backoff_factor(*options.backoff, "--backoff");
  }
  if (options.max_interval) {
    settings.max_interval = core::parse_positive_seconds(*options.max_interval, "--max-interval");
  }
  if (options.max_age) {
    settings.state_max_age = core::parse_seconds(*options.max_age, "--max-age");
  }
}

} // namespace testmon_precreate::cli
