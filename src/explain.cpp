#include "testmon_precreate/explain.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/selection/working_tree.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

using datafile::EnvironmentRow;
using datafile::RecordedState;

constexpr util::Seconds busy_timeout{60};

// How far a row is from the wanted environment: another Python counts as much as all packages.
std::size_t distance(const EnvironmentRow& row, const python::EnvironmentKey& wanted) {
  constexpr std::size_t other_python = 1'000'000;
  if (datafile::stands_for(row.environment, wanted_environment(wanted))) {
    return 0;
  }
  return compare_packages(row.environment.system_packages, wanted.system_packages).size() +
         (row.environment.python_version == wanted.python_version ? 0 : other_python);
}

// The row of the wanted name that is most like it; among equals a visible one, and the newest.
std::optional<std::int64_t> nearest_row(std::span<const EnvironmentRow> rows,
                                        const python::EnvironmentKey& wanted) {
  const auto rank = [&wanted](const EnvironmentRow& row) {
    return std::tuple(distance(row, wanted), row.parked, -row.id);
  };
  const EnvironmentRow* nearest = nullptr;
  for (const EnvironmentRow& row : rows) {
    if (row.environment.name == wanted.environment_name &&
        (nearest == nullptr || rank(row) < rank(*nearest))) {
      nearest = &row;
    }
  }
  return nearest == nullptr ? std::nullopt : std::optional(nearest->id);
}

RecordedFileState state_of(const fs::path& file, bool current) {
  std::error_code error;
  if (!fs::exists(file, error)) {
    return RecordedFileState::deleted;
  }
  return current ? RecordedFileState::unchanged : RecordedFileState::modified;
}

// Looks one test or one file up in a data file.
class Lookup {
public:
  Lookup(const AffectedQuery& query, Subject& subject)
      : query_(query)
      , subject_(subject)
      , tree_(query.rootdir, util::cache_directory(query.environment)) {}

  void run(std::int64_t environment) {
    const auto state = datafile::read_recorded_state(
        query_.datafile,
        {.choose_environment = [environment](auto) { return std::optional(environment); },
         .choose_fingerprints = [this](const RecordedState& read) { return choose(read); }},
        busy_timeout);
    if (state) {
      find_dependencies(*state);
    }
  }

private:
  [[nodiscard]] std::vector<std::size_t> choose(const RecordedState& state) const {
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < state.fingerprints.size(); ++i) {
      if (subject_.is_test || state.fingerprints[i].filename == subject_.name) {
        wanted.push_back(i);
      }
    }
    return wanted;
  }

  void find_dependencies(const RecordedState& state) {
    std::map<std::string, bool> current; // by file
    std::set<std::string> tests;
    for (const datafile::RecordedTest& test : state.tests) {
      if (subject_.is_test && test.name == subject_.name) {
        subject_.is_recorded = true;
        subject_.failed = test.failed;
      }
    }
    for (const datafile::RecordedDependency& dependency : state.dependencies) {
      const std::string& test = state.tests[dependency.test].name;
      const auto& fingerprint = state.fingerprints[dependency.fingerprint];
      if (subject_.is_test ? test == subject_.name : fingerprint.filename == subject_.name) {
        tests.insert(test);
        bool& unchanged = current.try_emplace(fingerprint.filename, true).first->second;
        unchanged = is_current(fingerprint) && unchanged;
      }
    }
    for (const auto& [path, unchanged] : current) {
      subject_.files.push_back({.path = path, .state = state_of(query_.rootdir / path, unchanged)});
    }
    if (!subject_.is_test) {
      subject_.is_recorded = !tests.empty();
      subject_.tests = {tests.begin(), tests.end()};
    }
  }

  bool is_current(const datafile::RecordedFingerprint& fingerprint) {
    const selection::ContentHashes* const hashes = tree_.look_at(fingerprint.filename);
    return hashes != nullptr && hashes->match(fingerprint.fsha);
  }

  const AffectedQuery& query_;
  Subject& subject_;
  selection::WorkingTree tree_;
};

Subject find_subject(const std::string& given, const AffectedQuery& query,
                     const std::optional<EnvironmentRow>& environment) {
  Subject subject;
  subject.is_test = given.find("::") != std::string::npos;
  subject.name = subject.is_test ? given
                                 : (query.invocation_directory / given)
                                       .lexically_normal()
                                       .lexically_relative(query.rootdir)
                                       .string();
  if (environment) {
    Lookup(query, subject).run(environment->id);
  }
  return subject;
}

std::optional<Surroundings> ask_for_surroundings(const AffectedRequest& request,
                                                 std::vector<std::string>& warnings) {
  try {
    return find_surroundings(request);
  } catch (const core::EnvironmentProbeError& error) {
    warnings.push_back(std::string("packages and Python are not compared: ") + error.what());
    return std::nullopt;
  }
}

// `recorded`: the nearest environment's own distributions, empty if they are not known.
void find_own_changes(const std::string& recorded, Explanation& explanation) {
  const std::string& wanted = explanation.wanted->own_distributions;
  const auto own = python::packages_of(wanted);
  for (const PackageChange& change : explanation.packages) {
    if (change.before && change.after && own.contains(change.name)) {
      explanation.own_versions.insert(change.name);
    }
  }
  if (!recorded.empty() && !wanted.empty()) {
    for (const PackageChange& change : compare_packages(recorded, wanted)) {
      explanation.own_changes.insert(change.name);
    }
  }
}

void compare_environments(Explanation& explanation) {
  const python::EnvironmentKey& wanted = *explanation.wanted;
  if (const auto& row = explanation.affected.environment) {
    explanation.packages =
        compare_packages(row->environment.system_packages, wanted.system_packages);
    explanation.matches = datafile::stands_for(row->environment, wanted_environment(wanted));
    find_own_changes(row->environment.own_distributions, explanation);
  }
}

} // namespace

std::vector<PackageChange> compare_packages(const std::string& before, const std::string& after) {
  const auto old_packages = python::packages_of(before);
  const auto new_packages = python::packages_of(after);
  std::vector<PackageChange> changes;
  for (const auto& [name, version] : old_packages) {
    const auto now = new_packages.find(name);
    if (now == new_packages.end()) {
      changes.push_back({.name = name, .before = version, .after = std::nullopt});
    } else if (now->second != version) {
      changes.push_back({.name = name, .before = version, .after = now->second});
    }
  }
  for (const auto& [name, version] : new_packages) {
    if (!old_packages.contains(name)) {
      changes.push_back({.name = name, .before = std::nullopt, .after = version});
    }
  }
  std::sort(
      changes.begin(), changes.end(),
      [](const PackageChange& left, const PackageChange& right) { return left.name < right.name; });
  return changes;
}

Explanation explain(const AffectedRequest& request, const std::optional<std::string>& subject,
                    const core::DebugLog& log) {
  Explanation explanation;
  std::vector<std::string> warnings;
  const std::optional<Surroundings> surroundings = ask_for_surroundings(request, warnings);
  const pytest::Project project = surroundings ? surroundings->project : find_project(request);
  pytest::TestFiles test_files = pytest::scan_test_files(project);
  AffectedQuery query = make_affected_query(request, project, std::move(test_files.paths));
  if (surroundings) {
    make_exact(query, request, *surroundings);
    query.choose_environment = [&key = surroundings->key](auto rows) {
      return nearest_row(rows, key);
    };
    explanation.wanted = surroundings->key;
    explanation.testmon_version = surroundings->facts.testmon_version;
    explanation.wanted_data_version = python::data_version_of_testmon(explanation.testmon_version);
  }
  explanation.affected = find_affected(query);
  explanation.affected.warnings = std::move(warnings);
  if (explanation.wanted) {
    compare_environments(explanation);
  }
  if (subject) {
    explanation.subject = find_subject(*subject, query, explanation.affected.environment);
  }
  log("{} packages differ", explanation.packages.size());
  return explanation;
}

} // namespace testmon_precreate
