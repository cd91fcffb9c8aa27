#include "testmon_precreate/affected.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/selection/comparison.hpp>
#include <testmon_precreate/selection/git.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

using datafile::EnvironmentRow;
using datafile::RecordedState;
using selection::Verdict;

constexpr util::Seconds busy_timeout{60};

// testmon's home_file().
std::string_view home_file(std::string_view test) { return test.substr(0, test.find("::")); }

bool is_there(const fs::path& file) {
  std::error_code error;
  return fs::exists(file, error);
}

std::vector<selection::RecordedContent> recorded_contents(const RecordedState& state) {
  std::vector<selection::RecordedContent> contents;
  contents.reserve(state.fingerprints.size());
  for (const datafile::RecordedFingerprint& fingerprint : state.fingerprints) {
    contents.push_back({.filename = fingerprint.filename, .fsha = fingerprint.fsha});
  }
  return contents;
}

// Those of `test_files` that hold no recorded test.
std::unordered_set<std::string_view> files_without_tests(const std::vector<std::string>& test_files,
                                                         const RecordedState& state) {
  std::unordered_set<std::string_view> files(test_files.begin(), test_files.end());
  std::string_view last;
  for (const datafile::RecordedTest& test : state.tests) {
    if (const std::string_view file = home_file(test.name); file != last) {
      files.erase(file);
      last = file;
    }
  }
  return files;
}

// testmon's check_fingerprint_db: a file without blocks, such as one that is no Python, holds none.
// `blocks` are sorted.
bool holds_all(const std::vector<std::int32_t>& blocks, const std::vector<std::int32_t>& recorded) {
  return !blocks.empty() &&
         std::all_of(recorded.begin(), recorded.end(), [&blocks](std::int32_t block) {
           return std::binary_search(blocks.begin(), blocks.end(), block);
         });
}

// What of a recorded state testmon will run.
class Selection {
public:
  Selection(const AffectedQuery& query, Affected& result)
      : query_(query)
      , result_(result)
      , tree_(query.rootdir, util::cache_directory(query.environment)) {}

  void run() {
    auto state = datafile::read_recorded_state(
        query_.datafile,
        {.choose_environment = query_.choose_environment,
         .choose_fingerprints = [this](const RecordedState& read) { return choose(read); }},
        busy_timeout);
    if (query_.may_write_cache) {
      tree_.remember();
    }
    if (!state) {
      result_.unknown_test_files = query_.test_files;
      return;
    }
    result_.environment = state->environment;
    result_.data_version = state->data_version;
    find_changed_files(*state);
    misses_.resize(verdicts_.size());
    if (query_.find_blocks) {
      compare_blocks(*state);
    } else {
      compare_files(*state);
    }
    find_tests(*state);
    find_unknown_test_files(*state);
  }

private:
  // The fingerprints that testmon may compare block by block, and those that tell whether it has
  // met a file.
  std::vector<std::size_t> choose(const RecordedState& state) {
    verdicts_ = query_.given_tests
                    ? std::vector<Verdict>(state.fingerprints.size(), Verdict::current)
                    : selection::compare_with_disk(recorded_contents(state), tree_, [this] {
                        return selection::names_in_git_index(
                            query_.rootdir, query_.invocation_directory, query_.environment);
                      });
    unmet_files_ = files_without_tests(query_.test_files, state);
    std::unordered_set<std::string_view> files = unmet_files_;
    for (std::size_t i = 0; query_.find_blocks && i < verdicts_.size(); ++i) {
      if (verdicts_[i] != Verdict::current) {
        files.insert(state.fingerprints[i].filename);
      }
    }
    std::vector<std::size_t> wanted;
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      if (verdicts_[i] != Verdict::current || files.contains(state.fingerprints[i].filename)) {
        wanted.push_back(i);
      }
    }
    return wanted;
  }

  // Notes the files of which the environment has stale contents.
  void find_changed_files(const RecordedState& state) {
    for (const datafile::RecordedDependency& dependency : state.dependencies) {
      const auto& fingerprint = state.fingerprints[dependency.fingerprint];
      if (verdicts_[dependency.fingerprint] == Verdict::stale) {
        // Without a hash it stands for a test that never ran, not for a content.
        bool& changed = compared_files_[fingerprint.filename];
        changed = changed || !fingerprint.fsha.empty();
      }
    }
    for (const auto& [path, changed] : compared_files_) {
      if (changed) {
        changed_file_index_.emplace(path, result_.changed_files.size());
        result_.changed_files.push_back({.path = std::string(path),
                                         .gone = !is_there(query_.rootdir / path),
                                         .tests = 0,
                                         .duration = util::Seconds(0)});
      }
    }
  }

  // Whole files: whatever testmon compares may have changed.
  void compare_files(const RecordedState& state) {
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      misses_[i] = verdicts_[i] == Verdict::stale ||
                   (verdicts_[i] == Verdict::stale_with_another &&
                    compared_files_.contains(state.fingerprints[i].filename));
    }
  }

  // Block by block, as testmon's determine_tests.
  void compare_blocks(const RecordedState& state) {
    std::vector<std::string> filenames;
    for (const auto& [filename, changed] : compared_files_) {
      filenames.emplace_back(filename);
    }
    std::unordered_map<std::string_view, python::FileBlocks> blocks;
    if (!filenames.empty()) {
      std::vector<python::FileBlocks> found = query_.find_blocks(filenames);
      for (std::size_t i = 0; i < filenames.size(); ++i) {
        std::sort(found.at(i).checksums.begin(), found[i].checksums.end());
        blocks.emplace(filenames[i], std::move(found[i]));
      }
    }
    std::unordered_set<std::string_view> met_otherwise; // recorded with another hash than testmon's
    for (const datafile::RecordedDependency& dependency : state.dependencies) {
      const auto& fingerprint = state.fingerprints[dependency.fingerprint];
      const auto file = blocks.find(fingerprint.filename);
      if (file != blocks.end() &&
          (fingerprint.fsha.empty() || fingerprint.fsha != file->second.fsha)) {
        met_otherwise.insert(file->first);
      }
    }
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      const auto file = blocks.find(state.fingerprints[i].filename);
      misses_[i] = file != blocks.end() && met_otherwise.contains(file->first) &&
                   !holds_all(file->second.checksums, state.fingerprints[i].checksums);
    }
  }

  void find_tests(const RecordedState& state) {
    std::map<std::size_t, std::set<std::size_t>> affected; // test: its changed files
    for (const datafile::RecordedDependency& dependency : state.dependencies) {
      const auto& fingerprint = state.fingerprints[dependency.fingerprint];
      if (misses_[dependency.fingerprint]) {
        std::set<std::size_t>& files = affected[dependency.test];
        if (const auto file = changed_file_index_.find(fingerprint.filename);
            file != changed_file_index_.end() && !fingerprint.fsha.empty()) {
          files.insert(file->second);
        }
      }
    }
    for (std::size_t i = 0; i < state.tests.size(); ++i) {
      const datafile::RecordedTest& test = state.tests[i];
      if (query_.given_tests ? query_.given_tests->contains(test.name) : test.failed) {
        affected[i];
      }
      ++result_.recorded_tests;
      result_.recorded_duration += test.duration.value_or(util::Seconds(0));
    }
    for (const auto& [index, files] : affected) {
      add(state.tests[index], files);
    }
    std::sort(
        result_.tests.begin(), result_.tests.end(),
        [](const AffectedTest& left, const AffectedTest& right) { return left.name < right.name; });
  }

  void add(const datafile::RecordedTest& test, const std::set<std::size_t>& files) {
    if (is_gone(home_file(test.name))) {
      result_.gone_tests.push_back(test.name);
      return;
    }
    result_.tests.push_back({.name = test.name,
                             .duration = test.duration,
                             .failed = test.failed,
                             .changed_files = {files.begin(), files.end()}});
  }

  bool is_gone(std::string_view file) {
    const auto [known, is_new] = gone_.try_emplace(std::string(file), false);
    if (is_new) {
      known->second = !is_there(query_.rootdir / file);
    }
    return known->second;
  }

  // testmon passes over a file only if the environment knows it.
  void find_unknown_test_files(const RecordedState& state) {
    std::unordered_set<std::string_view>& unknown = unmet_files_;
    for (const datafile::RecordedDependency& dependency : state.dependencies) {
      unknown.erase(state.fingerprints[dependency.fingerprint].filename);
    }
    std::copy_if(query_.test_files.begin(), query_.test_files.end(),
                 std::back_inserter(result_.unknown_test_files),
                 [&unknown](const std::string& file) { return unknown.contains(file); });
  }

  const AffectedQuery& query_;
  Affected& result_;
  selection::WorkingTree tree_;
  std::unordered_set<std::string_view> unmet_files_; // test files without tests, of query_
  std::vector<Verdict> verdicts_;                    // of the state's fingerprints
  std::vector<bool> misses_; // of the fingerprints: whether testmon will run what depends on it
  std::map<std::string_view, bool> compared_files_; // by testmon, and whether for their content
  std::map<std::string_view, std::size_t> changed_file_index_;
  std::unordered_map<std::string, bool> gone_;
};

// The name of the run's environment as far as it can be told without Python.
std::optional<std::string> environment_name(const AffectedRequest& request,
                                            const pytest::Project& project) {
  auto given = request.testmon_environment ? request.testmon_environment
                                           : project.command_line.testmon_environment;
  if (given && !given->empty()) {
    return given;
  }
  return project.ini_string("environment_expression").empty()
             ? std::optional<std::string>("default")
             : std::nullopt;
}

// testmon takes the newest row of a name (2.1.4 and newer). After `prepare` there is only one.
std::optional<std::int64_t> newest_visible(std::span<const EnvironmentRow> rows,
                                           const std::optional<std::string>& name) {
  std::set<std::string_view> names;
  std::optional<std::int64_t> newest;
  for (const EnvironmentRow& row : rows) {
    if (!row.parked && (!name || row.environment.name == *name)) {
      names.insert(row.environment.name);
      newest = row.id;
    }
  }
  if (names.size() > 1) {
    throw core::UsageError(
        {.what = "only Python can tell which environment is meant",
         .where = "environment_expression",
         .hint = "Name it with --testmon-env, as `testmon-precreate environments` shows it"});
  }
  return newest;
}

fs::path datafile_of(const AffectedRequest& request, const pytest::Project& project) {
  if (request.since_file) {
    return request.invocation_directory / *request.since_file;
  }
  return project.rootdir / request.settings.datafile_path();
}

// The paths of the command line that are there, relative to the rootdir as tests are named.
std::vector<std::string> wanted_paths(const pytest::Project& project) {
  std::vector<std::string> paths;
  for (const std::string& given : project.command_line.paths) {
    const fs::path path =
        (project.invocation_directory / home_file(given.substr(0, given.find('['))))
            .lexically_normal();
    if (is_there(path)) {
      std::string relative = path.lexically_relative(project.rootdir).string();
      paths.push_back(relative.ends_with('/') ? relative.substr(0, relative.size() - 1) : relative);
    }
  }
  return paths;
}

bool lies_below(std::string_view file, const std::vector<std::string>& paths) {
  return std::any_of(paths.begin(), paths.end(), [file](const std::string& path) {
    return path == "." || file == path ||
           (file.starts_with(path) && file.substr(path.size()).starts_with('/'));
  });
}

// The row that testmon will find after `prepare`, which brings a parked one back.
std::optional<std::int64_t> matching_row(std::span<const EnvironmentRow> rows,
                                         const python::EnvironmentKey& key) {
  const datafile::Environment wanted = wanted_environment(key);
  std::vector<EnvironmentRow> of_name;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(of_name),
               [&](const EnvironmentRow& row) { return row.environment.name == wanted.name; });
  return datafile::make_parking_plan(of_name, wanted).matching;
}

} // namespace

std::vector<std::string> Affected::test_files_to_run() const {
  std::set<std::string> files(unknown_test_files.begin(), unknown_test_files.end());
  for (const AffectedTest& test : tests) {
    files.emplace(home_file(test.name));
  }
  return {files.begin(), files.end()};
}

util::Seconds Affected::duration() const {
  util::Seconds sum{0};
  for (const AffectedTest& test : tests) {
    sum += test.duration.value_or(util::Seconds(0));
  }
  return sum;
}

void count_tests(Affected& affected) {
  for (ChangedFile& file : affected.changed_files) {
    file.tests = 0;
    file.duration = util::Seconds(0);
  }
  for (const AffectedTest& test : affected.tests) {
    for (const std::size_t file : test.changed_files) {
      ++affected.changed_files[file].tests;
      affected.changed_files[file].duration += test.duration.value_or(util::Seconds(0));
    }
  }
}

Affected find_affected(const AffectedQuery& query) {
  Affected affected;
  affected.rootdir = query.rootdir;
  affected.datafile = query.datafile;
  Selection(query, affected).run();
  count_tests(affected);
  return affected;
}

void restrict_to_paths(Affected& affected, const pytest::Project& project) {
  const std::vector<std::string> paths = wanted_paths(project);
  if (paths.empty()) {
    return;
  }
  std::erase_if(affected.tests, [&paths](const AffectedTest& test) {
    return !lies_below(home_file(test.name), paths);
  });
  count_tests(affected);
}

AffectedQuery make_affected_query(const AffectedRequest& request, const pytest::Project& project,
                                  std::vector<std::string> test_files) {
  return {.rootdir = project.rootdir,
          .datafile = datafile_of(request, project),
          .invocation_directory = request.invocation_directory,
          .environment = request.environment,
          .choose_environment = [name = environment_name(request, project)](
                                    auto rows) { return newest_visible(rows, name); },
          .test_files = std::move(test_files),
          .may_write_cache = !request.dry_run,
          .given_tests = request.given_tests};
}

void make_exact(AffectedQuery& query, const AffectedRequest& request,
                const Surroundings& surroundings) {
  query.choose_environment = [&key = surroundings.key](auto rows) {
    return matching_row(rows, key);
  };
  query.find_blocks = [&](const std::vector<std::string>& filenames) {
    return python::find_file_blocks(
        {.interpreter = python::find_interpreter(request.interpreter, request.environment),
         .working_directory = request.invocation_directory,
         .environment = request.environment,
         .rootdir = surroundings.project.rootdir,
         .filenames = filenames});
  };
}

Affected find_affected(const AffectedRequest& request, const core::DebugLog& log) {
  std::optional<Surroundings> surroundings;
  if (request.exact) {
    surroundings = find_surroundings(request);
  }
  const pytest::Project project = surroundings ? surroundings->project : find_project(request);
  pytest::TestFiles test_files = pytest::scan_test_files(project);
  log("rootdir {}, {} test files", project.rootdir.string(), test_files.paths.size());
  AffectedQuery query = make_affected_query(request, project, std::move(test_files.paths));
  if (surroundings) {
    make_exact(query, request, *surroundings);
  }
  Affected affected = find_affected(query);
  restrict_to_paths(affected, project);
  affected.warnings = std::move(test_files.warnings);
  affected.distribution = project.command_line.distribution;
  if (!is_there(affected.datafile)) {
    affected.warnings.push_back(
        fmt::format("there is no data file ({}): nothing is recorded", affected.datafile.string()));
  }
  log("data file {}: {} of {} tests", affected.datafile.string(), affected.tests.size(),
      affected.recorded_tests);
  return affected;
}

} // namespace testmon_precreate
