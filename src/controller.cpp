#include "testmon_precreate/controller.hpp"
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/current_tree.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/pytest/test_files.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/right_size.hpp>
#include <testmon_precreate/run_place.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

// The number of `-n 4`; 0 for none and for `auto` and `logical`, which xdist counts itself.
int worker_count(const PrepareRequest& request, const pytest::Project& project) {
  if (request.workers != 0 || !project.command_line.workers) {
    return request.workers;
  }
  const std::string& text = *project.command_line.workers;
  int count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

datafile::PreparedDatafile prepare_datafile(const PrepareRequest& request, const fs::path& file,
                                            bool is_private, const python::EnvironmentKey& key,
                                            int data_version) {
  datafile::DatafileRequest datafile_request;
  datafile_request.file = file;
  datafile_request.environment = wanted_environment(key);
  datafile_request.data_version = data_version;
  datafile_request.keep_environments = request.keep_environments;
  datafile_request.allow_upgrade = request.allow_upgrade;
  datafile_request.dry_run = request.dry_run;
  datafile_request.rebuild = request.rebuild;
  datafile_request.keep_backup = !is_private;
  datafile_request.warn = request.warn;
  return datafile::prepare_datafile(datafile_request);
}

void describe_environment(coordination::CoordinationState& state, const python::EnvironmentKey& key,
                          const datafile::PreparedDatafile& prepared) {
  state.environment_id = prepared.environment_id;
  state.environment_name = key.environment_name;
  state.python_version = key.python_version;
  state.system_packages = key.system_packages;
  state.system_packages_full = key.system_packages_full;
  state.environment_action = datafile::to_string(prepared.action);
  state.packages_changed = prepared.packages_changed;
  state.file_created = prepared.file_created;
  state.precreated_entries.parked_environments = prepared.parked_environments;
  state.precreated_entries.upgraded_from = prepared.upgraded_from;
}

// The coordination directory while a preparation goes on. If that fails, the directory is left
// as after a clean-up: workers must not find half of a run.
class ClaimedDirectory {
public:
  ClaimedDirectory(const coordination::CoordinationDirectory& directory,
                   const PrepareRequest& request)
      : directory_(&directory)
      , kept_(request.dry_run) {
    if (!request.dry_run) {
      directory.create();
      claim_ = coordination::claim_for_run(
          directory, {.run_uid = request.run_uid, .controller_pid = request.controller_pid},
          request.wait_for_run, request.settings.notifications);
    }
  }

  ClaimedDirectory(const ClaimedDirectory&) = delete;
  ClaimedDirectory& operator=(const ClaimedDirectory&) = delete;
  ClaimedDirectory(ClaimedDirectory&&) = delete;
  ClaimedDirectory& operator=(ClaimedDirectory&&) = delete;

  ~ClaimedDirectory() {
    if (!kept_) {
      try {
        if (shared_directory_of(*directory_)) {
          discard_run_place(*directory_);
        } else {
          static_cast<void>(directory_->remove());
        }
      } catch (const std::exception&) { // NOLINT(bugprone-empty-catch)
        // The error that brought us here says more.
      }
    }
  }

  void keep() noexcept { kept_ = true; }

private:
  const coordination::CoordinationDirectory* directory_;
  std::optional<coordination::DirectoryClaim> claim_;
  bool kept_;
};

// Where a run works: its coordination directory and its data file.
struct Workplace {
  coordination::CoordinationDirectory directory;
  fs::path file;
  bool is_private = false; // a run place with a copy of the data file
};

bool wants_private_copy(const PrepareRequest& request, const fs::path& file) {
  if (request.dry_run || request.private_copy == PrivateCopy::never) {
    return false;
  }
  const bool needed = !datafile::can_be_written(file);
  if (needed) {
    request.warn(fmt::format("the data file cannot be written: the run selects from a private copy "
                             "of it, nothing will be recorded ({})",
                             file.string()));
  }
  return needed || request.private_copy == PrivateCopy::always;
}

Workplace make_private(const Workplace& shared, bool will_be_merged) {
  const coordination::CoordinationDirectory place =
      make_run_place(shared.directory, shared.file, will_be_merged);
  return {.directory = place, .file = datafile_of_place(place), .is_private = true};
}

Workplace find_workplace(const PrepareRequest& request, const fs::path& rootdir) {
  Workplace shared{.directory = coordination::CoordinationDirectory(
                       coordination::coordination_directory_of(rootdir, request.settings)),
                   .file = rootdir / request.settings.datafile_path()};
  return wants_private_copy(request, shared.file) ? make_private(shared, false) : shared;
}

// If another run is at work on the data file, this one goes on beside it if it may.
void claim(Workplace& place, std::optional<ClaimedDirectory>& claimed,
           const PrepareRequest& request) {
  try {
    claimed.emplace(place.directory, request);
  } catch (const core::CoordinationBusy&) {
    if (place.is_private || request.private_copy == PrivateCopy::never || request.dry_run) {
      throw;
    }
    place = make_private(place, true);
    claimed.emplace(place.directory, request);
  }
}

void merge_runs_beside(const Workplace& place, const PrepareRequest& request,
                       const fs::path& rootdir) {
  if (!place.is_private && !request.dry_run && has_ended_places(place.directory)) {
    merge_ended_places(place.directory, {.datafile = place.file,
                                         .disk = compare_with_tree(rootdir, request.environment),
                                         .warn = request.warn});
  }
}

// Decides how many workers the run needs, if that was asked. What it needs is never known so well
// that a run should fail for it: after an error there are as many as asked for.
void choose_workers(coordination::CoordinationState& state, const PrepareRequest& request,
                    const pytest::Project& project, const Workplace& place,
                    std::vector<std::string> test_files) {
  if (!request.grouping || request.settings.fixed_workers || state.expected_workers == 0) {
    return;
  }
  const AffectedQuery query{
      .rootdir = project.rootdir,
      .datafile = place.file,
      .invocation_directory = request.invocation_directory,
      .environment = request.environment,
      .choose_environment = [&state](auto) { return std::optional(state.environment_id); },
      .test_files = std::move(test_files),
      .may_write_cache = !request.dry_run};
  try {
    const RightSize size = right_size(query, project, *request.grouping, state.expected_workers,
                                      request.least_workers);
    state.asked_workers = state.expected_workers;
    state.expected_workers = size.workers;
    state.workers_because = size.because;
  } catch (const core::CoordinationError& error) {
    request.warn(fmt::format("it is not known what will run: {}", error.what()));
  }
}

// A path of the coordination directory as the state has it: relative to the rootdir if it is there.
std::string path_in_state(const fs::path& path, const fs::path& rootdir) {
  const fs::path relative = path.lexically_relative(rootdir);
  return (relative.empty() || *relative.begin() == ".." ? path : relative).string();
}

} // namespace

PrepareReport prepare(const PrepareRequest& request, const core::DebugLog& log) {
  PrepareReport report;
  coordination::CoordinationState& state = report.state;
  coordination::identify(state, request.controller_pid);
  state.run_uid = request.run_uid;

  const auto [project, facts, key] = find_surroundings(request);
  const int data_version = python::data_version_of_testmon(facts.testmon_version);
  log("rootdir {}, configuration {}", project.rootdir.string(),
      project.config_file.value_or("none").string());
  log("testmon {} (data version {}), Python {}", facts.testmon_version, data_version,
      facts.python_version);
  log("environment {}: {}", key.environment_name, key.system_packages_full);
  report.times.lap("surroundings");

  Workplace place = find_workplace(request, project.rootdir);
  // From here on until the state is written no other run changes anything.
  std::optional<ClaimedDirectory> claimed;
  claim(place, claimed, request);
  report.times.lap("claim");
  state.timestamp = util::wall_clock_now().count();
  merge_runs_beside(place, request, project.rootdir);

  const datafile::PreparedDatafile prepared =
      prepare_datafile(request, place.file, place.is_private, key, data_version);
  log("data file {}: environment {} {}", place.file.string(), prepared.environment_id,
      datafile::to_string(prepared.action));
  report.times.lap("data_file");

  const pytest::TestFiles test_files = pytest::scan_test_files(project);
  std::for_each(test_files.warnings.begin(), test_files.warnings.end(), request.warn);
  log("{} test files", test_files.paths.size());
  report.times.lap("test_files");

  state.rootdir = project.rootdir.string();
  state.database_path = place.file.string();
  state.coordination_directory = place.directory.path().string();
  state.private_copy = place.is_private;
  state.data_version = data_version;
  state.testmon_version = facts.testmon_version;
  state.expected_workers = worker_count(request, project);
  state.precreated_entries.test_file_count = test_files.paths.size();
  state.precreated_entries.test_files_path =
      path_in_state(place.directory.test_files_path(), project.rootdir);
  describe_environment(state, key, prepared);
  choose_workers(state, request, project, place, test_files.paths);
  if (!state.workers_because.empty()) {
    log("{} of {} workers: {}", state.expected_workers, state.asked_workers, state.workers_because);
  }
  report.times.lap("workers");
  if (!request.dry_run) {
    place.directory.write_test_files(test_files.paths);
    place.directory.write_state(state);
    claimed->keep();
  }
  report.times.lap("state");
  return report;
}

} // namespace testmon_precreate
