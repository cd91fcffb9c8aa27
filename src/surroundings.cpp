#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/version.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/python/probe.hpp>
#include <testmon_precreate/surroundings.hpp>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

pytest::ProjectQuery project_query(const RunRequest& request, pytest::PytestVersion version) {
  std::vector<std::string> arguments = request.pytest_arguments;
  // Options of our own are appended: the last one wins with pytest too.
  if (request.rootdir) {
    arguments.insert(arguments.end(), {"--rootdir", request.rootdir->string()});
  }
  if (request.config_file) {
    arguments.insert(arguments.end(), {"-c", request.config_file->string()});
  }
  return {.invocation_directory = request.invocation_directory,
          .arguments = std::move(arguments),
          .environment = request.environment,
          .version = version};
}

pytest::Project find_project(const RunRequest& request, pytest::PytestVersion version) {
  pytest::Project project = pytest::find_project(project_query(request, version));
  project.command_line.run_as_module = request.run_as_module;
  return project;
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

Surroundings look_around(const RunRequest& request, pytest::PytestVersion version) {
  Surroundings found{.project = find_project(request, version), .facts = {}, .key = {}};
  found.facts = request.process_facts ? python::parse_process_facts(*request.process_facts)
                                      : facts_of_future_process(request, found.project);
  found.key = python::make_environment_key(
      found.facts, request.settings.own_distribution ? fs::path() : found.project.rootdir);
  return found;
}

bool same_configuration(const pytest::Project& one, const pytest::Project& other) {
  return one.rootdir == other.rootdir && one.config_file == other.config_file;
}

// A newer pytest may refuse what the project's own accepts: another configuration beside the one
// that counts, say. Its error stands if the environment does not prove to have an older one.
Surroundings look_around_by_newest_rules(const RunRequest& request) {
  try {
    return look_around(request, pytest::newest_pytest);
  } catch (const core::UsageError&) {
    for (const pytest::PytestVersion& older : pytest::older_rules) {
      try {
        Surroundings found = look_around(request, older);
        const auto version = pytest::pytest_version_among(found.key.system_packages_full);
        if (version && version->major_number == older.major_number) {
          return found;
        }
      } catch (const core::UsageError&) { // NOLINT(bugprone-empty-catch): the first one says it
      }
    }
    throw;
  }
}

} // namespace

pytest::Project find_project(const RunRequest& request) {
  pytest::Project project =
      pytest::find_project_by_any_rules(project_query(request, pytest::newest_pytest));
  project.command_line.run_as_module = request.run_as_module;
  return project;
}

// Which files configure a project depends on pytest's version, which is known from the environment,
// and that from the configuration: the newest rules come first, and are nearly always right.
Surroundings find_surroundings(const RunRequest& request) {
  Surroundings found = look_around_by_newest_rules(request);
  const auto version = pytest::pytest_version_among(found.key.system_packages_full);
  if (!version || *version >= pytest::newest_pytest) {
    return found;
  }
  pytest::Project project = find_project(request, *version);
  if (!same_configuration(project, found.project)) {
    return look_around(request, *version);
  }
  found.project = std::move(project);
  return found;
}

datafile::Environment wanted_environment(const python::EnvironmentKey& key) {
  return {.name = key.environment_name,
          .system_packages = key.system_packages,
          .python_version = key.python_version,
          .own_distributions = key.own_distributions};
}

} // namespace testmon_precreate
