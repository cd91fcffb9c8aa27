#include "testmon_precreate/surroundings.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/glob.hpp>
#include <testmon_precreate/pytest/sys_path.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/probe.hpp>
#include <testmon_precreate/util/version.hpp>

#include <utility>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

pytest::Project find_project(const RunRequest& request, pytest::PytestVersion version) {
  pytest::Project project =
      pytest::find_project({.invocation_directory = request.invocation_directory,
                            .arguments = request.pytest_arguments,
                            .rootdir = request.rootdir,
                            .config_file = request.config_file,
                            .environment = request.environment,
                            .version = version});
  project.command_line.run_as_module = request.run_as_module;
  return project;
}

// The version in the name of pytest's metadata beside the interpreter; nothing if its packages lie
// elsewhere: a user site, a wrapper of the interpreter.
std::optional<pytest::PytestVersion> installed_pytest(const RunRequest& request) {
  fs::path interpreter;
  try {
    interpreter = python::find_interpreter(request.interpreter, request.environment);
  } catch (const core::EnvironmentProbeError&) {
    return std::nullopt;
  }
  const std::vector<std::string> found = pytest::glob("lib/python3*/*-packages/pytest-[0-9]*-info",
                                                      interpreter.parent_path().parent_path());
  constexpr std::string_view name = "pytest-";
  return found.size() != 1
             ? std::nullopt
             : util::parse_version(fs::path(found[0]).filename().string().substr(name.size()));
}

// pytest's version, if it can be known before the project's configuration is read.
std::optional<pytest::PytestVersion> expected_pytest(const RunRequest& request) {
  return request.process_facts
             ? util::parse_version(
                   python::parse_process_facts(*request.process_facts).pytest_version)
             : installed_pytest(request);
}

python::ProcessFacts facts_of_future_process(const RunRequest& request,
                                             const pytest::Project& project) {
  python::ProbeRequest probe;
  probe.interpreter = python::find_interpreter(request.interpreter, request.environment);
  probe.working_directory = request.invocation_directory;
  probe.environment = request.environment;
  probe.sys_path_additions = pytest::sys_path_additions(project);
  probe.environment_name = request.testmon_environment ? request.testmon_environment
                                                       : project.command_line.testmon_environment;
  probe.environment_expression = project.ini_string("environment_expression");
  probe.ignore_dependencies = project.ini_args("testmon_ignore_dependencies");
  return python::probe_interpreter(probe);
}

Surroundings look_around(const RunRequest& request, pytest::Project project) {
  Surroundings found{.project = std::move(project), .facts = {}, .key = {}};
  found.facts = request.process_facts ? python::parse_process_facts(*request.process_facts)
                                      : facts_of_future_process(request, found.project);
  found.key = python::make_environment_key(
      found.facts, request.settings.own_distribution ? fs::path() : found.project.rootdir);
  return found;
}

} // namespace

pytest::Project find_project(const RunRequest& request) {
  constexpr pytest::PytestVersion more_lenient{8, 4, 0};
  const auto version = expected_pytest(request);
  try {
    return find_project(request, version.value_or(pytest::newest_pytest));
  } catch (const core::UsageError&) {
    if (!version) {
      try {
        return find_project(request, more_lenient);
      } catch (const core::UsageError&) { // NOLINT(bugprone-empty-catch): the first one says it
      }
    }
    throw;
  }
}

Surroundings find_surroundings(const RunRequest& request) {
  Surroundings found = look_around(request, find_project(request));
  const auto version =
      util::parse_version(python::packages_of(found.key.system_packages_full)["pytest"]);
  return version && *version != found.project.version
             ? look_around(request, find_project(request, *version))
             : found;
}

datafile::Environment wanted_environment(const python::EnvironmentKey& key) {
  return {.name = key.environment_name,
          .system_packages = key.system_packages,
          .python_version = key.python_version,
          .own_distributions = key.own_distributions};
}

} // namespace testmon_precreate
