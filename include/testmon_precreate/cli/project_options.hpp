#pragma once

#include <testmon_precreate/cli/program.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate::cli {

// The options that say which project and which environment a command is about. An empty text stands
// for "not given".
struct ProjectOptions {
  std::string rootdir;
  std::string config_file;
  std::string datafile;
  std::string python;
  std::string testmon_environment;
};

// Adds the options to `command`; `options` must outlive the parsing.
void add_project_options(CLI::App& command, ProjectOptions& options);

// Fills in what the options, the variables and the arguments behind `--` say of the pytest run.
void describe_run(RunRequest& request, const ProjectOptions& options, const Program& program);

// Workers that are starting must not see the data file change. Throws core::CoordinationBusy.
void refuse_while_a_run_is_at_work(const std::filesystem::path& rootdir,
                                   const core::Settings& settings);

} // namespace testmon_precreate::cli
