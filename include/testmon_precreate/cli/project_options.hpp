#pragma once

#include <testmon_precreate/cli/program.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <filesystem>

namespace testmon_precreate::cli {

// Adds to `command` the options, or one of them, that say which project and which environment it is
// about; `request`, which gets them, must outlive the parsing.
void add_project_options(CLI::App& command, RunRequest& request);
void add_rootdir_option(CLI::App& command, RunRequest& request);
void add_datafile_option(CLI::App& command, RunRequest& request);

// Adds to what the options gave what the variables and the arguments after `--` say of the pytest
// run.
void describe_run(RunRequest& request, const Program& program);

// Workers that are starting must not see the data file change. Throws core::CoordinationBusy.
void refuse_while_a_run_is_at_work(const std::filesystem::path& rootdir,
                                   const core::Settings& settings);

} // namespace testmon_precreate::cli
