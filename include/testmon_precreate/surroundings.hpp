#pragma once

#include <testmon_precreate/core/settings.hpp>
#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/python/environment_key.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate {

// A pytest run that is to come, as options and variables describe it.
struct RunRequest {
  core::Settings settings;
  util::ProcessEnvironment environment;
  std::filesystem::path invocation_directory;
  bool run_as_module = false; // `python -m pytest`, which puts the working directory on sys.path
  std::vector<std::string> pytest_arguments;
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::filesystem::path> config_file;
  std::optional<std::filesystem::path> interpreter;
  std::optional<std::string> testmon_environment;
  std::optional<std::string> process_facts; // JSON; then no interpreter is started
  bool dry_run = false;                     // nothing is written, caches of our own included
};

// A project and the environment that its tests run in.
struct Surroundings {
  pytest::Project project;
  python::ProcessFacts facts;
  python::EnvironmentKey key;
};

// The run's project as far as it can be told without starting its interpreter: by the rules of the
// pytest that the process facts name or that lies beside the interpreter. If there is neither: by
// the newest rules or, if these refuse it, by those before pytest 9, which refuses an error in a
// configuration file beside the one that counts. Throws core::UsageError if that pytest would
// refuse to run.
[[nodiscard]] pytest::Project find_project(const RunRequest& request);

// The run's project and its environment, for which an interpreter may be started. Throws
// core::UsageError as find_project; core::EnvironmentProbeError.
[[nodiscard]] Surroundings find_surroundings(const RunRequest& request);

// The row that the run will want.
[[nodiscard]] datafile::Environment wanted_environment(const python::EnvironmentKey& key);

} // namespace testmon_precreate
