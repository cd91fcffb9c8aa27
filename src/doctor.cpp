#include "testmon_precreate/doctor.hpp"

#include "doctor_parts.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/explain.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/python_version.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/version.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace testmon_precreate {

namespace {

// A distribution's name as package indexes compare it.
std::string normalised(std::string name) {
  name = util::to_lower(name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Examination {
public:
  Examination(const DoctorRequest& request, const core::DebugLog& log)
      : request_(request)
      , log_(log) {}

  Diagnosis run() {
    ask_interpreter();
    if (run_.surroundings) {
      run_.project = run_.surroundings->project;
      for (const auto& [name, version] :
           python::packages_of(run_.surroundings->key.system_packages_full)) {
        packages_[normalised(name)] = version;
      }
    } else {
      run_.project = find_project(request_);
    }
    run_.datafile = run_.project.rootdir / request_.settings.datafile_path();
    examine_options(request_, run_.project, findings_);
    look_at_versions();
    look_at_plugin();
    look_at_coverage_core();
    examine_datafile(request_, run_, findings_);
    Diagnosis diagnosis{
        .rootdir = run_.project.rootdir, .datafile = run_.datafile, .findings = findings_.take()};
    log_("{} findings", diagnosis.findings.size());
    return diagnosis;
  }

private:
  void ask_interpreter() {
    constexpr const char* cure =
        "Activate the virtual environment of the tests, or give --python; without it, packages, "
        "versions and the plugin are not looked at";
    try {
      if (!request_.process_facts) {
        run_.interpreter =
            python::find_interpreter(request_.interpreter, request_.environment).string();
      }
    } catch (const core::EnvironmentProbeError& error) {
      findings_.note("no-interpreter", error.what(), "PATH", cure); // the run may have one
      return;
    }
    try {
      run_.surroundings = find_surroundings(request_);
      run_.data_version = python::data_version_of_testmon(run_.surroundings->facts.testmon_version);
    } catch (const core::EnvironmentProbeError& error) {
      run_.surroundings.reset();
      findings_.problem("interpreter", error.what(), run_.interpreter, cure);
    }
  }

  // Nothing if it is not installed, or if testmon is told to ignore it.
  [[nodiscard]] std::string version_of(const std::string& package) const {
    const auto found = packages_.find(package);
    return found == packages_.end() ? std::string() : found->second;
  }

  [[nodiscard]] bool is_ignored(const std::string& package) const {
    const auto& ignored = run_.surroundings->facts.ignore_dependencies;
    return std::any_of(ignored.begin(), ignored.end(),
                       [&package](const std::string& name) { return normalised(name) == package; });
  }

  void look_at_versions() {
    if (!run_.surroundings) {
      return;
    }
    look_at_version("pytest", {7, 0, 0}, true);
    look_at_version("pytest-xdist", {3, 0, 0}, run_.project.command_line.workers.has_value());
    const std::string& testmon = run_.surroundings->facts.testmon_version;
    if (util::parse_version(testmon) < pytest::PytestVersion{2, 1, 0}) {
      findings_.note("version",
                     fmt::format("pytest-testmon {} is older than all that was tested", testmon),
                     run_.interpreter, "Use 2.1.0 or newer");
    }
  }

  void look_at_version(const std::string& package, pytest::PytestVersion oldest, bool needed) {
    const std::string version = version_of(package);
    const auto numbers = util::parse_version(version);
    if (version.empty() && needed && !is_ignored(package)) {
      findings_.problem("version", package + " is not installed", run_.interpreter, "Install it");
    } else if (numbers && *numbers < oldest) {
      findings_.note("version",
                     fmt::format("{} {} is older than all that was tested", package, version),
                     run_.interpreter, fmt::format("Use {}.0 or newer", oldest.major_number));
    }
  }

  [[nodiscard]] bool is_plugin_installed() const {
    return !run_.surroundings || !version_of("testmon-precreate").empty() ||
           is_ignored("testmon-precreate") ||
           contains(request_.environment.get("PYTEST_PLUGINS").value_or(""), "testmon_precreate") ||
           run_.project.command_line.has_plugin("testmon_precreate.plugin");
  }

  void look_at_plugin() {
    const bool switched_on = is_on(request_.environment.get(switch_variable).value_or(""));
    run_.plugin_works = switched_on && is_plugin_installed() &&
                        !run_.project.command_line.has_plugin("no:testmon-precreate");
    if (!switched_on) {
      findings_.note(
          "plugin-off",
          "the plugin is not switched on here: with -n, a run ends with `attempt to write a "
          "readonly database` after packages have changed",
          switch_variable, switch_on);
    } else if (!run_.plugin_works) {
      findings_.note("plugin-missing", "the plugin is switched on, but it is not loaded",
                     run_.interpreter + ", PYTEST_PLUGINS and -p",
                     "Install the wheel there, or use `testmon-precreate run`");
    }
    const std::string version = version_of("testmon-precreate");
    if (!version.empty() && version != TESTMON_PRECREATE_VERSION) {
      findings_.note("plugin-version",
                     fmt::format("the plugin is of version {}, this command of version {}", version,
                                 TESTMON_PRECREATE_VERSION),
                     run_.interpreter, "Install the same version of both");
    }
    if (!run_.plugin_works && run_.project.command_line.has_plugin("no:cacheprovider")) {
      findings_.problem("no-cacheprovider", "-p no:cacheprovider: testmon ends with KeyError 'lf'",
                        "pytest's options",
                        std::string("Remove it, or switch the plugin on: ") + switch_on);
    }
  }

  // As coverage.core.Core decides for an object without configuration.
  void look_at_coverage_core() {
    if (!run_.surroundings || run_.plugin_works) {
      return;
    }
    constexpr python::PythonVersion with_sysmon{3, 12};
    constexpr python::PythonVersion sysmon_by_default{3, 14};
    const auto python = python::parse_python_version(run_.surroundings->facts.python_version);
    const std::string core = request_.environment.get("COVERAGE_CORE").value_or("");
    const auto coverage = util::parse_version(version_of("coverage"));
    const bool by_default = core.empty() && python >= sysmon_by_default &&
                            (!coverage || *coverage >= pytest::PytestVersion{7, 9, 0});
    if (by_default || (core == "sysmon" && python >= with_sysmon)) {
      findings_.problem(
          "coverage-core",
          "coverage measures by sysmon, which cannot tell tests apart: of tests that share a "
          "line only the first one is recorded, and the others do not run after an edit",
          by_default ? "Python " + run_.surroundings->facts.python_version : "COVERAGE_CORE",
          std::string("Switch the plugin on, which records all of them: ") + switch_on +
              ". Or set COVERAGE_CORE=ctrace, and remove the data file once");
    }
  }

  const DoctorRequest& request_;
  const core::DebugLog& log_;
  ExaminedRun run_;
  Findings findings_;
  std::map<std::string, std::string> packages_; // by normalised name
};

} // namespace

Diagnosis examine(const DoctorRequest& request, const core::DebugLog& log) {
  return Examination(request, log).run();
}

} // namespace testmon_precreate
