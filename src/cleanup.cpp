#include "testmon_precreate/cleanup.hpp"
#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/current_tree.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/right_size.hpp>
#include <testmon_precreate/run_place.hpp>
#include <testmon_precreate/surroundings.hpp>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

// Nothing if there is none that can be read.
std::optional<coordination::CoordinationState>
state_in(const coordination::CoordinationDirectory& directory) {
  try {
    return directory.read_state();
  } catch (const core::CoordinationError&) {
    return std::nullopt;
  }
}

// The project's rootdir, if no coordination directory tells it.
fs::path rootdir_by_pytest(const CleanupRequest& request) {
  RunRequest run;
  run.environment = request.environment;
  run.invocation_directory = request.working_directory;
  try {
    return find_project(run).rootdir;
  } catch (const core::UsageError&) {
    return request.working_directory; // pytest itself would refuse to run here
  }
}

fs::path find_rootdir(const CleanupRequest& request,
                      const coordination::CoordinationDirectory& directory) {
  if (request.rootdir) {
    return request.working_directory / *request.rootdir;
  }
  if (fs::exists(directory.path())) {
    if (const auto rootdir = coordination::rootdir_of(directory, request.settings)) {
      return *rootdir;
    }
  }
  return rootdir_by_pytest(request);
}

// Lets the data file learn what runs beside this one have recorded, unless another prepared run is
// at work on it: then that one does.
void settle(const coordination::CoordinationDirectory& shared,
            const coordination::Claimant& claimant, const CleanupRequest& request,
            const MergeTarget& target) {
  try {
    if (has_ended_places(shared)) {
      const auto claim = coordination::claim_for_run(shared, claimant, util::Seconds(0),
                                                     request.settings.notifications);
      merge_ended_places(shared, target);
    }
  } catch (const core::CoordinationBusy&) { // NOLINT(bugprone-empty-catch): see above
  }
}

bool end_private_run(const CleanupRequest& request,
                     const coordination::CoordinationDirectory& place,
                     const coordination::CoordinationDirectory& shared, const MergeTarget& target) {
  const coordination::Claimant claimant{.run_uid = request.run_uid,
                                        .controller_pid = request.controller_pid};
  const std::string run = request.force ? "" : coordination::living_run(place, claimant);
  if (!run.empty()) {
    throw core::CoordinationBusy({.what = run,
                                  .where = place.path().string(),
                                  .hint = "Its files go when it ends; --force removes them now"});
  }
  const bool removed = end_run_place(place);
  settle(shared, claimant, request, target);
  leave_shared_directory(shared, claimant);
  return removed;
}

bool end_shared_run(const CleanupRequest& request,
                    const coordination::CoordinationDirectory& directory,
                    const MergeTarget& target) {
  const coordination::Claimant claimant{.run_uid = request.run_uid,
                                        .controller_pid = request.controller_pid};
  settle(directory, claimant, request, target);
  const bool removed = coordination::remove_coordination_files(directory, claimant, request.force,
                                                               request.settings.notifications);
  if (has_ended_places(directory)) { // ended while we were at it
    settle(directory, claimant, request, target);
    coordination::remove_coordination_files(directory, claimant, request.force,
                                            request.settings.notifications);
  }
  return removed;
}

} // namespace

CleanupReport clean_up(const CleanupRequest& request, const core::DebugLog& log) {
  const coordination::CoordinationDirectory directory(coordination::find_coordination_directory(
      request.working_directory, request.rootdir, request.settings));
  const fs::path rootdir = find_rootdir(request, directory);
  const fs::path project_datafile = rootdir / request.settings.datafile_path();
  const auto shared = shared_directory_of(directory);
  const auto state = state_in(directory);
  const bool is_told = shared || request.settings.datafile || !state;
  const fs::path datafile = is_told ? project_datafile : fs::path(state->database_path);
  if (request.workers_start && state && state->expected_workers > 0) {
    learn_start_up(rootdir, request.environment, *request.workers_start, state->expected_workers);
  }
  const MergeTarget target{.datafile = datafile,
                           .disk = compare_with_tree(rootdir, request.environment),
                           .warn = request.warn};

  CleanupReport report{.directory = directory.path(), .removed = false, .datafile = {}};
  report.removed = shared ? end_private_run(request, directory, *shared, target)
                          : end_shared_run(request, directory, target);
  log("{}: {}", directory.path().string(), report.removed ? "removed" : "nothing to remove");
  if (!shared && request.truncate_wal && fs::exists(datafile) &&
      datafile::can_be_written(datafile)) {
    datafile::truncate_wal(datafile, request.busy_timeout);
    report.datafile = datafile;
    log("{}: WAL truncated", datafile.string());
  }
  return report;
}

} // namespace testmon_precreate
