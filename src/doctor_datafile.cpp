#include "doctor_parts.hpp"

#include <testmon_precreate/affected.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/checkup.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/management.hpp>
#include <testmon_precreate/explain.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/selection/git.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

using datafile::ListedEnvironment;

constexpr util::Seconds busy_timeout{10};
constexpr std::uintmax_t large_file = 64UL * 1024 * 1024;

// Whether a version, as testmon compares it, names a commit or a date.
bool tells_a_commit(const std::string& version) {
  constexpr std::array marks{".dev", "+g", ".d20"};
  return std::any_of(marks.begin(), marks.end(), [&version](const char* mark) {
    return version.find(mark) != std::string::npos;
  });
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

class DatafileExamination {
public:
  DatafileExamination(const DoctorRequest& request, const ExaminedRun& run, Findings& findings)
      : request_(request)
      , run_(run)
      , findings_(findings) {}

  void run() {
    const fs::path& file = run_.datafile;
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
      findings_.problem("damaged", error.what(), file.string(),
                        "Restore the file from a backup or a cache, or let it be made anew: "
                        "`testmon-precreate prepare --rebuild`");
    } catch (const core::DatabaseError& error) {
      findings_.problem("unreadable", error.what(), file.string(), "See the message");
    } catch (const fs::filesystem_error& error) {
      findings_.problem("unreadable", core::CoordinationFileError(error).what(), file.string(),
                        "See the message");
    }
  }

private:
  [[nodiscard]] static std::uintmax_t size_in_mib(const fs::path& file) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    return error ? 0 : size / 1024 / 1024;
  }

  void tell_of_missing_file() {
    const std::string file = run_.datafile.string();
    if (is_on(request_.environment.get("CI").value_or(""))) {
      findings_.note(
          "no-data-file",
          "nothing is recorded: the next run executes all tests. On a CI machine the data file may "
          "never have been saved, or not been restored",
          file,
          "Let the job keep " + run_.datafile.filename().string() +
              " in its cache, under a key that is new with each run, and restore the newest");
    } else {
      findings_.note("no-data-file", "nothing is recorded yet: the next run executes all tests",
                     file, "Run `pytest --testmon` once");
    }
  }

  void look_at_wal(const datafile::Inspection& seen) {
    if (seen.wal_present && !seen.index_in_use) {
      const fs::path wal = datafile::wal_path(datafile::resolve_links(run_.datafile));
      std::error_code error;
      findings_.note(
          "wal",
          fmt::format("the last run's data may be in a log beside the data file ({} bytes): a "
                      "cache that takes the data file alone loses it",
                      fs::file_size(wal, error)),
          wal.string(), "`testmon-precreate cleanup` after the run puts it into the data file");
    }
  }

  void look_at_permissions() {
    if (datafile::can_be_written(run_.datafile)) {
      return;
    }
    const std::string what = "the data file or its directory cannot be written: ";
    if (run_.plugin_works) {
      findings_.note("read-only", what + "runs select by it, but record nothing",
                     run_.datafile.string(), "Make both writable for who runs the tests");
    } else {
      findings_.problem(
          "read-only", what + "testmon cannot open it", run_.datafile.string(),
          std::string("Make both writable, or switch the plugin on, which lets runs select: ") +
              switch_on);
    }
  }

  void look_at_data_version(const datafile::Inspection& seen) {
    if (run_.data_version != 0 && seen.data_version != run_.data_version) {
      findings_.note(
          "data-version",
          fmt::format("the data file has data version {}, testmon {} reads {}: testmon alone "
                      "starts a new file, and all tests run",
                      seen.data_version, run_.surroundings->facts.testmon_version,
                      run_.data_version),
          run_.datafile.string(),
          "`testmon-precreate prepare`, or the plugin, converts it before the run");
    }
  }

  void look_at_environments(const std::vector<ListedEnvironment>& environments) {
    look_at_parked(environments);
    if (!run_.surroundings) {
      return;
    }
    const python::EnvironmentKey& key = run_.surroundings->key;
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
      findings_.note(
          "new-environment",
          "nothing is recorded with these packages and this Python: the next run executes all "
          "tests",
          run_.datafile.string(), "`testmon-precreate explain` shows what differs");
    }
    look_at_packages(texts);
  }

  void look_at_packages(const std::vector<std::string>& texts) {
    constexpr const char* cure = "If the tests do not depend on them, name them in the ini option "
                                 "testmon_ignore_dependencies";
    // With the plugin, versions of the project's own distributions are no dependency.
    const auto own =
        python::packages_of(run_.plugin_works ? run_.surroundings->key.own_distributions : "");
    auto changing = changing_packages(texts);
    std::erase_if(changing, [&own](const std::string& name) { return own.contains(name); });
    if (!changing.empty()) {
      findings_.note(
          "changing-packages",
          fmt::format("{} environments differ in nothing but {}: these may change with each run, "
                      "and then all tests run",
                      texts.size(), fmt::join(changing, ", ")),
          run_.datafile.string(), cure);
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, version] :
         python::packages_of(run_.surroundings->key.system_packages)) {
      if (tells_a_commit(version) && !own.contains(name)) {
        names.push_back(fmt::format("{} {}", name, version));
      }
    }
    if (!names.empty()) {
      findings_.note(
          "changing-version",
          fmt::format("a version that names a commit or a date may change with each commit, and "
                      "then all tests run: {}",
                      fmt::join(names, ", ")),
          run_.interpreter, cure);
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
      findings_.note("parked",
                     fmt::format("{} parked environment{} not come back for a month", count,
                                 count == 1 ? " has" : "s have"),
                     run_.datafile.string(),
                     "If their packages will not come back: `testmon-precreate environments prune "
                     "--keep-environments N`");
    }
  }

  void look_at_records() {
    if (fs::file_size(run_.datafile) > large_file) {
      request_.progress(
          fmt::format("reading {} ({} MiB)", run_.datafile.string(), size_in_mib(run_.datafile)));
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
    pytest::TestFiles test_files = pytest::scan_test_files(run_.project);
    AffectedQuery query = make_affected_query(request, run_.project, std::move(test_files.paths));
    if (run_.surroundings) {
      make_exact(query, request, *run_.surroundings);
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
        run_.datafile, affected.environment->id, busy_timeout);
    constexpr std::size_t enough = 5;
    constexpr const char* cure =
        "Install the code under test in editable mode, below the rootdir; what other processes "
        "execute is not recorded";
    if (count == affected.recorded_tests && count >= enough) {
      findings_.problem(
          "tests-without-code",
          fmt::format("all of {} depend on no file but their own: changes of the code may run "
                      "nothing",
                      util::counted(count, "test")),
          run_.datafile.string(), cure);
    } else if (count * 2 > affected.recorded_tests) {
      findings_.note(
          "tests-without-code",
          fmt::format("{} of {} depend on no file but their own: changes of the code may not run "
                      "them",
                      count, util::counted(affected.recorded_tests, "test")),
          run_.datafile.string(), cure);
    }
  }

  void look_at_base(const Affected& affected) {
    constexpr std::size_t many_files = 5;
    constexpr int many_commits = 50;
    constexpr const char* cure =
        "Restore the data of a newer run: the cache's key must be new with each run";
    if (affected.tests.size() * 2 > affected.recorded_tests &&
        affected.changed_files.size() >= many_files) {
      findings_.note(
          "stale-base",
          fmt::format("{} recorded files are not as they were recorded, and {} of {} depend on "
                      "them: the data may be of a commit far from this one",
                      affected.changed_files.size(), affected.tests.size(),
                      util::counted(affected.recorded_tests, "test")),
          run_.datafile.string(), cure);
    }
    const int commits = selection::commits_since(run_.project.rootdir, modified_at(run_.datafile),
                                                 request_.environment);
    if (commits >= many_commits) {
      findings_.note(
          "old-base",
          fmt::format("the data file is older than {} commits: it may never be saved", commits),
          run_.datafile.string(), cure);
    }
  }

  const DoctorRequest& request_;
  const ExaminedRun& run_;
  Findings& findings_;
};

} // namespace

void examine_datafile(const DoctorRequest& request, const ExaminedRun& run, Findings& findings) {
  DatafileExamination(request, run, findings).run();
}

} // namespace testmon_precreate
