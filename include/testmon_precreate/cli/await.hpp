#pragma once

#include <testmon_precreate/cli/program.hpp>

namespace testmon_precreate::cli {

// Gives `app` the options of testmon-await and a callback that waits, prints what was asked for and
// sets `program.exit_code`; with a command after `--` it does not return if that command can be
// executed. `program` must outlive the parsing.
void add_await_options(CLI::App& app, Program& program);

} // namespace testmon_precreate::cli
