#include <testmon_precreate/cli/commands.hpp>

#include <algorithm>

namespace {

namespace cli = testmon_precreate::cli;

constexpr cli::MainText text{
    .name = "testmon-await",
    .description = "Blocks until the controller's state is ready, acknowledges it for a worker, "
                   "and exits with 0 or replaces itself by the command after --.\n"
                   "Other exit codes: 2 usage, 3 controller gone, 4 nothing usable in time, 5 "
                   "invalid state, 6 file error, 126 and 127 command cannot be executed, 128+n "
                   "signal n.",
    .footer = "Examples:\n"
              "  testmon-await --timeout 60\n"
              "  state=$(testmon-await --shell) && eval \"$state\"\n"
              "  testmon-await --get environment_id\n"
              "  testmon-await --worker gw0 -- python worker.py"};

} // namespace

int main(int argc, char** argv) {
  return cli::run_main(text, {argv + std::min(argc, 1), argv + argc}, cli::add_await_options);
}
