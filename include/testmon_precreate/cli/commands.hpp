#pragma once

#include <testmon_precreate/cli/program.hpp>

namespace testmon_precreate::cli {

// Each function adds one subcommand of testmon-precreate to `app`: its options, its help, and a
// callback that does the work, sets `program.exit_code` and throws core::CoordinationError.
// `program` must outlive the parsing. One source file per function.
void add_affected_command(CLI::App& app, Program& program);
void add_doctor_command(CLI::App& app, Program& program);
void add_environments_command(CLI::App& app, Program& program);
void add_explain_command(CLI::App& app, Program& program);
void add_merge_command(CLI::App& app, Program& program);
void add_prepare_command(CLI::App& app, Program& program);
void add_run_command(CLI::App& app, Program& program);
void add_plugin_path_command(CLI::App& app, Program& program);
void add_wait_command(CLI::App& app, Program& program);
void add_status_command(CLI::App& app, Program& program);
void add_store_command(CLI::App& app, Program& program);
void add_cleanup_command(CLI::App& app, Program& program);

// The same for testmon-await, which has no subcommands: its options, and a callback that waits and
// prints what was asked for. With a command after `--` it does not return if that can be executed.
void add_await_options(CLI::App& app, Program& program);

} // namespace testmon_precreate::cli
