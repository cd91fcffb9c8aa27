#pragma once

#include <testmon_precreate/cli/program.hpp>
#include <testmon_precreate/surroundings.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace testmon_precreate::cli {

// The options that say which project and which environment a command is about.
struct ProjectOptions {
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::filesystem::path> config_file;
  std::optional<std::filesystem::path> datafile;
  std::optional<std::filesystem::path> python;
  std::optional<std::string> testmon_environment;
};

// Adds the options, or one of them, to `command`; `options` must outlive the parsing.
void add_project_options(CLI::App& command, ProjectOptions& options);
void add_rootdir_option(CLI::App& command, ProjectOptions& options);
void add_datafile_option(CLI::App& command, ProjectOptions& options);

// Fills in what the options, the variables and the arguments after `--` say of the pytest run.
void describe_run(RunRequest& request, const ProjectOptions& options, const Program& program);

// Workers that are starting must not see the data file change. Throws core::CoordinationBusy.
void refuse_while_a_run_is_at_work(const std::filesystem::path& rootdir,
                                   const core::Settings& settings);

} // namespace testmon_precreate::cli
