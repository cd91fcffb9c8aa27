#include "testmon_precreate/right_size.hpp"
#include <testmon_precreate/selection/start_up_memory.hpp>
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

selection::StartUpMemory memory_of(const fs::path& rootdir,
                                   const util::ProcessEnvironment& environment) {
  return {rootdir, util::cache_directory(environment)};
}

// glibc counts those that the process may run on.
unsigned processors() { return std::max(1U, std::thread::hardware_concurrency()); }

// Those that may hold tests which are not recorded.
std::size_t changed_test_files(const Affected& affected, const AffectedQuery& query) {
  const std::unordered_set<std::string_view> test_files(query.test_files.begin(),
                                                        query.test_files.end());
  return static_cast<std::size_t>(
      std::count_if(affected.changed_files.begin(), affected.changed_files.end(),
                    [&test_files](const ChangedFile& file) {
                      return !file.gone && test_files.contains(file.path);
                    }));
}

// Why the tests that will run are not all known; empty if they are.
std::string what_is_unknown(const Affected& affected, const AffectedQuery& query,
                            const pytest::Project& project) {
  if (affected.recorded_tests == 0) {
    return "nothing is recorded";
  }
  if (!affected.unknown_test_files.empty()) {
    return util::counted(affected.unknown_test_files.size(), "test file") + " without data";
  }
  if (const std::size_t changed = changed_test_files(affected, query); changed > 0) {
    return util::counted(changed, "changed test file");
  }
  return project.command_line.has_flag("--pyargs") ? "--pyargs" : "";
}

} // namespace

RightSize right_size(const AffectedQuery& query, const pytest::Project& project,
                     selection::Grouping grouping, int asked, int least) {
  Affected affected = find_affected(query);
  std::string unknown = what_is_unknown(affected, query, project);
  if (!unknown.empty()) {
    return {.workers = asked, .because = std::move(unknown)};
  }
  restrict_to_paths(affected, project);
  std::vector<selection::TestToRun> tests;
  for (const AffectedTest& test : affected.tests) {
    tests.push_back({.name = test.name, .duration = test.duration});
  }
  const selection::WorkerBounds bounds{.asked = asked,
                                       .least = least,
                                       .processors = processors(),
                                       .start_up =
                                           memory_of(query.rootdir, query.environment).recall()};
  return {.workers = selection::workers_that_pay(tests, grouping, bounds),
          .because = tests.empty()
                         ? "nothing to run"
                         : fmt::format("{}, about {:.1f} s", util::counted(tests.size(), "test"),
                                       affected.duration().count())};
}

void learn_start_up(const fs::path& rootdir, const util::ProcessEnvironment& environment,
                    util::Seconds together, int workers) {
  memory_of(rootdir, environment)
      .learn(selection::start_up_of_one(together, workers, processors()));
}

} // namespace testmon_precreate
