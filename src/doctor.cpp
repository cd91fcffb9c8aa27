#include "doctor_options.hpp"

#include <testmon_precreate/affected.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/checkup.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/management.hpp>
#include <testmon_precreate/doctor.hpp>
#include <testmon_precreate/explain.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/python/python_version.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/selection/git_history.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include <sys/stat.h>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

using datafile::ListedEnvironment;

constexpr util::Seconds busy_timeout{10};
constexpr std::uintmax_t large_file = 64UL * 1024 * 1024;
constexpr const char* switch_name = "TESTMON_XDIST_CONTROLLER_PRECREATION";
constexpr const char* switch_on =
    "export TESTMON_XDIST_CONTROLLER_PRECREATION=true, or use `testmon-precreate run -- pytest "
    "--testmon`";

// A distribution's name as package indexes compare it.
std::string normalised(std::string name) {
  name = util::to_lower(name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool is_on(const std::string& value) {
  const std::string text = util::to_lower(util::strip(value));
  return text == "1" || text == "true" || text == "yes" || text == "on";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// Whether a version, as testmon compares it, names a commit or a date.
bool tells_a_commit(const std::string& version) {
  return contains(version, ".dev") || contains(version, "+g") || contains(version, ".d20");
}

// The packages in which each of the texts differs from the one before, if these are few.
std::set<std::string> changing_packages(const std::vector<std::string>& texts) {
  constexpr std::size_t fewest_texts = 3;
  constexpr std::size_t most_packages = 3;
  std::set<std::string> names;
  for (std::size_t i = 1; i < texts.size(); ++i) {
    for (const PackageChange& change : compare_packages(texts[i - 1], texts[i])) {
      names.insert(change.name);
    }
  }
  return texts.size() < fewest_texts || names.size() > most_packages ? std::set<std::string>()
                                                                     : names;
}

// When the file was last written, in seconds since the epoch.
std::int64_t modified_at(const fs::path& file) {
  struct ::stat status {};

  return ::stat(file.c_str(), &status) == 0 ? status.st_mtim.tv_sec : 0;
}

class Examination {
public:
  Examination(const DoctorRequest& request, const core::DebugLog& log)
      : request_(request)
      , log_(log) {}

  Diagnosis run() {
    ask_interpreter();
    if (surroundings_) {
      project_ = surroundings_->project;
      for (const auto& [name, version] : packages_of(surroundings_->key.system_packages_full)) {
        packages_[normalised(name)] = version;
      }
    } else {
      project_ = find_project(request_);
    }
    diagnosis_.rootdir = project_.rootdir;
    diagnosis_.datafile = project_.rootdir / request_.settings.datafile_path();
    for (Finding& finding : examine_options(request_, project_)) {
      diagnosis_.findings.push_back(std::move(finding));
    }
    look_at_versions();
    look_at_plugin();
    look_at_coverage_core();
    look_at_datafile();
    log_("{} findings", diagnosis_.findings.size());
    return std::move(diagnosis_);
  }

private:
  void problem(const char* id, std::string what, std::string where, std::string cure) {
    add(id, true, std::move(what), std::move(where), std::move(cure));
  }

  void note(const char* id, std::string what, std::string where, std::string cure) {
    add(id, false, std::move(what), std::move(where), std::move(cure));
  }

  void add(const char* id, bool is_problem, std::string what, std::string where, std::string cure) {
    diagnosis_.findings.push_back({.id = id,
                                   .is_problem = is_problem,
                                   .what = std::move(what),
                                   .where = std::move(where),
                                   .cure = std::move(cure)});
  }

  // --- What runs ---

  void ask_interpreter() {
    constexpr const char* cure =
        "Activate the virtual environment of the tests, or give --python; without it, packages, "
        "versions and the plugin are not looked at";
    try {
      if (!request_.process_facts) {
        interpreter_ =
            python::find_interpreter(request_.interpreter, request_.environment).string();
      }
    } catch (const core::EnvironmentProbeError& error) {
      note("no-interpreter", error.what(), "PATH", cure); // the run may have one
      return;
    }
    try {
      surroundings_ = find_surroundings(request_);
      data_version_ = python::data_version_of_testmon(surroundings_->facts.testmon_version);
    } catch (const core::EnvironmentProbeError& error) {
      surroundings_.reset();
      problem("interpreter", error.what(), interpreter_, cure);
    }
  }

  // Nothing where it is not installed, or where testmon is told to ignore it.
  [[nodiscard]] std::string version_of(const std::string& package) const {
    const auto found = packages_.find(package);
    return found == packages_.end() ? std::string() : found->second;
  }

  [[nodiscard]] bool is_ignored(const std::string& package) const {
    const auto& ignored = surroundings_->facts.ignore_dependencies;
    return std::any_of(ignored.begin(), ignored.end(),
                       [&package](const std::string& name) { return normalised(name) == package; });
  }

  void look_at_versions() {
    if (!surroundings_) {
      return;
    }
    look_at_version("pytest", {7, 0, 0}, true);
    look_at_version("pytest-xdist", {3, 0, 0}, project_.command_line.workers.has_value());
    const std::string& testmon = surroundings_->facts.testmon_version;
    if (pytest::parse_pytest_version(testmon) < pytest::PytestVersion{2, 1, 0}) {
      note("version", fmt::format("pytest-testmon {} is older than all that was tested", testmon),
           interpreter_, "Use 2.1.0 or newer");
    }
  }

  void look_at_version(const std::string& package, pytest::PytestVersion oldest, bool needed) {
    const std::string version = version_of(package);
    const auto numbers = pytest::parse_pytest_version(version);
    if (version.empty() && needed && !is_ignored(package)) {
      problem("version", package + " is not installed", interpreter_, "Install it");
    } else if (numbers && *numbers < oldest) {
      note("version", fmt::format("{} {} is older than all that was tested", package, version),
           interpreter_, fmt::format("Use {}.0 or newer", oldest.major_number));
    }
  }

  [[nodiscard]] bool is_plugin_installed() const {
    return !surroundings_ || !version_of("testmon-precreate").empty() ||
           is_ignored("testmon-precreate") ||
           contains(request_.environment.get("PYTEST_PLUGINS").value_or(""), "testmon_precreate") ||
           has_plugin_option("testmon_precreate.plugin");
  }

  [[nodiscard]] bool has_plugin_option(const char* value) const {
    const auto& values = project_.command_line.plugins;
    return std::find(values.begin(), values.end(), value) != values.end();
  }

  void look_at_plugin() {
    const bool switched_on = is_on(request_.environment.get(switch_name).value_or(""));
    plugin_works_ =
        switched_on && is_plugin_installed() && !has_plugin_option("no:testmon-precreate");
    if (!switched_on) {
      note("plugin-off",
           "the plugin is not switched on here: with -n, a run ends with `attempt to write a "
           "readonly database` after packages have changed",
           switch_name, switch_on);
    } else if (!plugin_works_) {
      note("plugin-missing", "the plugin is switched on, but it is not loaded",
           interpreter_ + ", PYTEST_PLUGINS and -p",
           "Install the wheel there, or use `testmon-precreate run`");
    }
    const std::string version = version_of("testmon-precreate");
    if (!version.empty() && version != TESTMON_PRECREATE_VERSION) {
      note("plugin-version",
           fmt::format("the plugin is of version {}, this command of version {}", version,
                       TESTMON_PRECREATE_VERSION),
           interpreter_, "Install the same version of both");
    }
    if (!plugin_works_ && has_plugin_option("no:cacheprovider")) {
      problem("no-cacheprovider", "-p no:cacheprovider: testmon ends with KeyError 'lf'",
              "pytest's options", std::string("Remove it, or switch the plugin on: ") + switch_on);
    }
  }

  // As coverage.core.Core decides for an object without configuration.
  void look_at_coverage_core() {
    if (!surroundings_ || plugin_works_) {
      return;
    }
    constexpr python::PythonVersion with_sysmon{3, 12};
    constexpr python::PythonVersion sysmon_by_default{3, 14};
    const auto python = python::parse_python_version(surroundings_->facts.python_version);
    const std::string core = request_.environment.get("COVERAGE_CORE").value_or("");
    const auto coverage = pytest::parse_pytest_version(version_of("coverage"));
    const bool by_default = core.empty() && python >= sysmon_by_default &&
                            (!coverage || *coverage >= pytest::PytestVersion{7, 9, 0});
    if (by_default || (core == "sysmon" && python >= with_sysmon)) {
      problem("coverage-core",
              "coverage measures by sysmon, which cannot tell tests apart: of tests that share a "
              "line only the first one is recorded, and the others do not run after an edit",
              by_default ? "Python " + surroundings_->facts.python_version : "COVERAGE_CORE",
              std::string("Switch the plugin on, which records all of them: ") + switch_on +
                  ". Or set COVERAGE_CORE=ctrace, and remove the data file once");
    }
  }

  // --- What is recorded ---

  void look_at_datafile() {
    const fs::path& file = diagnosis_.datafile;
    try {
      const datafile::Inspection seen = datafile::inspect(datafile::resolve_links(file));
      if (seen.kind == datafile::FileKind::absent || seen.kind == datafile::FileKind::empty) {
        tell_of_missing_file();
        return;
      }
      look_at_wal(seen);
      look_at_permissions();
      const auto environments = datafile::list_environments(file, busy_timeout);
      if (request_.thorough) {
        request_.progress(fmt::format("checking {} ({} MiB)", file.string(), size_in_mib(file)));
        datafile::check_integrity(file, busy_timeout);
      }
      look_at_data_version(seen);
      look_at_environments(environments);
      look_at_records();
    } catch (const datafile::DamagedFile& error) {
      problem("damaged", error.what(), file.string(),
              "Restore the file from a backup or a cache, or let it be made anew: "
              "`testmon-precreate prepare --rebuild`");
    } catch (const core::DatabaseError& error) {
      problem("unreadable", error.what(), file.string(), "See the message");
    } catch (const fs::filesystem_error& error) {
      problem("unreadable", core::CoordinationFileError(error).what(), file.string(),
              "See the message");
    }
  }

  [[nodiscard]] static std::uintmax_t size_in_mib(const fs::path& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    return error ? 0 : size / 1024 / 1024;
  }

  void tell_of_missing_file() {
    const std::string file = diagnosis_.datafile.string();
    if (is_on(request_.environment.get("CI").value_or(""))) {
      note(
          "no-data-file",
          "nothing is recorded: the next run executes all tests. On a CI machine the data file may "
          "never have been saved, or not been restored",
          file,
          "Let the job keep " + diagnosis_.datafile.filename().string() +
              " in its cache, under a key that is new with each run, and restore the newest");
    } else {
      note("no-data-file", "nothing is recorded yet: the next run executes all tests", file,
           "Run `pytest --testmon` once");
    }
  }

  void look_at_wal(const datafile::Inspection& seen) {
    if (seen.wal_present && !seen.index_in_use) {
      const fs::path wal = datafile::wal_path(datafile::resolve_links(diagnosis_.datafile));
      std::error_code error;
      note("wal",
           fmt::format("the last run's data may be in a log beside the data file ({} bytes): a "
                       "cache that takes the data file alone loses it",
                       fs::file_size(wal, error)),
           wal.string(), "`testmon-precreate cleanup` after the run puts it into the data file");
    }
  }

  void look_at_permissions() {
    if (datafile::can_be_written(diagnosis_.datafile)) {
      return;
    }
    const std::string what = "the data file or its directory cannot be written: ";
    if (plugin_works_) {
      note("read-only", what + "runs select by it, but record nothing",
           diagnosis_.datafile.string(), "Make both writable for who runs the tests");
    } else {
      problem("read-only", what + "testmon cannot open it", diagnosis_.datafile.string(),
              std::string("Make both writable, or switch the plugin on, which lets runs select: ") +
                  switch_on);
    }
  }

  void look_at_data_version(const datafile::Inspection& seen) {
    if (data_version_ != 0 && seen.data_version != data_version_) {
      note("data-version",
           fmt::format("the data file has data version {}, testmon {} reads {}: testmon alone "
                       "starts a new file, and all tests run",
                       seen.data_version, surroundings_->facts.testmon_version, data_version_),
           diagnosis_.datafile.string(),
           "`testmon-precreate prepare`, or the plugin, converts it before the run");
    }
  }

  void look_at_environments(const std::vector<ListedEnvironment>& environments) {
    look_at_parked(environments);
    if (!surroundings_) {
      return;
    }
    const python::EnvironmentKey& key = surroundings_->key;
    const datafile::Environment wanted = wanted_environment(key);
    std::vector<std::string> texts;
    bool matches = false;
    for (const ListedEnvironment& listed : environments) {
      const datafile::Environment& environment = listed.row.environment;
      if (environment.name == key.environment_name &&
          environment.python_version == key.python_version) {
        matches = matches || datafile::stands_for(environment, wanted);
        texts.push_back(environment.system_packages);
      }
    }
    if (!matches) {
      texts.push_back(key.system_packages);
      note("new-environment",
           "nothing is recorded with these packages and this Python: the next run executes all "
           "tests",
           diagnosis_.datafile.string(), "`testmon-precreate explain` shows what differs");
    }
    look_at_packages(texts);
  }

  void look_at_packages(const std::vector<std::string>& texts) {
    constexpr const char* cure = "If the tests do not depend on them, name them in the ini option "
                                 "testmon_ignore_dependencies";
    // With the plugin, versions of the project's own distributions are no dependency.
    const auto own = packages_of(plugin_works_ ? surroundings_->key.own_distributions : "");
    auto changing = changing_packages(texts);
    std::erase_if(changing, [&own](const std::string& name) { return own.contains(name); });
    if (!changing.empty()) {
      note("changing-packages",
           fmt::format("{} environments differ in nothing but {}: these may change with each run, "
                       "and then all tests run",
                       texts.size(), fmt::join(changing, ", ")),
           diagnosis_.datafile.string(), cure);
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, version] : packages_of(surroundings_->key.system_packages)) {
      if (tells_a_commit(version) && !own.contains(name)) {
        names.push_back(fmt::format("{} {}", name, version));
      }
    }
    if (!names.empty()) {
      note("changing-version",
           fmt::format("a version that names a commit or a date may change with each commit, and "
                       "then all tests run: {}",
                       fmt::join(names, ", ")),
           interpreter_, cure);
    }
  }

  void look_at_parked(const std::vector<ListedEnvironment>& environments) {
    constexpr util::Seconds month{30 * 24 * 3600.0};
    const auto count = std::count_if(environments.begin(), environments.end(),
                                     [&month](const ListedEnvironment& listed) {
                                       return listed.row.parked && listed.parked_at.count() > 0 &&
                                              util::wall_clock_now() - listed.parked_at > month;
                                     });
    if (count > 0) {
      note("parked",
           fmt::format("{} parked environment{} not come back for a month", count,
                       count == 1 ? " has" : "s have"),
           diagnosis_.datafile.string(),
           "If their packages will not come back: `testmon-precreate environments prune "
           "--keep-environments N`");
    }
  }

  void look_at_records() {
    if (fs::file_size(diagnosis_.datafile) > large_file) {
      request_.progress(fmt::format("reading {} ({} MiB)", diagnosis_.datafile.string(),
                                    size_in_mib(diagnosis_.datafile)));
    }
    const Affected affected = compare_with_tree();
    if (affected.environment && affected.recorded_tests > 0) {
      look_at_tests(affected);
      look_at_base(affected);
    }
  }

  [[nodiscard]] Affected compare_with_tree() const {
    AffectedRequest request;
    const RunRequest& run = request_;
    static_cast<RunRequest&>(request) = run;
    pytest::TestFiles test_files = pytest::scan_test_files(project_);
    AffectedQuery query = make_affected_query(request, project_, std::move(test_files.paths));
    if (surroundings_) {
      make_exact(query, request, *surroundings_);
      query.find_blocks = nullptr; // whole files tell enough
    }
    try {
      return find_affected(query);
    } catch (const core::UsageError&) {
      return {}; // only Python can tell which environment is meant
    }
  }

  void look_at_tests(const Affected& affected) {
    const std::size_t count = datafile::count_tests_without_other_files(
        diagnosis_.datafile, affected.environment->id, busy_timeout);
    constexpr std::size_t enough = 5;
    constexpr const char* cure =
        "Install the code under test in editable mode, below the rootdir; what other processes "
        "execute is not recorded";
    if (count == affected.recorded_tests && count >= enough) {
      problem("tests-without-code",
              fmt::format("all of {} depend on no file but their own: changes of the code may run "
                          "nothing",
                          util::counted(count, "test")),
              diagnosis_.datafile.string(), cure);
    } else if (count * 2 > affected.recorded_tests) {
      note("tests-without-code",
           fmt::format("{} of {} depend on no file but their own: changes of the code may not run "
                       "them",
                       count, util::counted(affected.recorded_tests, "test")),
           diagnosis_.datafile.string(), cure);
    }
  }

  void look_at_base(const Affected& affected) {
    constexpr std::size_t many_files = 5;
    constexpr int many_commits = 50;
    constexpr const char* cure =
        "Restore the data of a newer run: the cache's key must be new with each run";
    if (affected.tests.size() * 2 > affected.recorded_tests &&
        affected.changed_files.size() >= many_files) {
      note("stale-base",
           fmt::format("{} recorded files are not as they were recorded, and {} of {} depend on "
                       "them: the data may be of a commit far from this one",
                       affected.changed_files.size(), affected.tests.size(),
                       util::counted(affected.recorded_tests, "test")),
           diagnosis_.datafile.string(), cure);
    }
    const int commits = selection::commits_since(
        diagnosis_.rootdir, modified_at(diagnosis_.datafile), request_.environment);
    if (commits >= many_commits) {
      note("old-base",
           fmt::format("the data file is older than {} commits: it may never be saved", commits),
           diagnosis_.datafile.string(), cure);
    }
  }

  const DoctorRequest& request_;
  const core::DebugLog& log_;
  Diagnosis diagnosis_;
  std::string interpreter_;
  std::optional<Surroundings> surroundings_; // nothing: Python could not be asked
  pytest::Project project_;
  std::map<std::string, std::string> packages_; // by normalised name
  int data_version_ = 0;                        // of testmon; 0: not known
  bool plugin_works_ = false;
};

} // namespace

Diagnosis examine(const DoctorRequest& request, const core::DebugLog& log) {
  return Examination(request, log).run();
}

} // namespace testmon_precreate
