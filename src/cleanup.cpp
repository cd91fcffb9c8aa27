#include <testmon_precreate/cleanup.hpp>
#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/takeover.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/datafile.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/run_place.hpp>

namespace testmon_precreate {

namespace fs = std::filesystem;

namespace {

// The data file that the state names: its run's own, wherever that is.
std::optional<fs::path> datafile_of_state(const coordination::CoordinationDirectory& directory) {
  try {
    if (const auto state = directory.read_state()) {
      return state->database_path;
    }
  } catch (const core::CoordinationError&) { // NOLINT(bugprone-empty-catch): it names none
  }
  return std::nullopt;
}

// The project's rootdir, where no coordination directory tells it.
fs::path rootdir_by_pytest(const fs::path& working_directory) {
  try {
    return pytest::find_project_by_any_rules({.invocation_directory = working_directory}).rootdir;
  } catch (const core::UsageError&) {
    return working_directory; // pytest itself would refuse to run here
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
  return rootdir_by_pytest(request.working_directory);
}

bool remove_coordination_files(const CleanupRequest& request,
                               const coordination::CoordinationDirectory& directory) {
  const coordination::Claimant claimant{.run_uid = request.run_uid,
                                        .controller_pid = request.controller_pid};
  if (!shared_directory_of(directory)) {
    remove_abandoned_places(directory);
    return coordination::clean_up(directory, claimant, request.force,
                                  request.settings.notifications);
  }
  const std::string run = request.force ? "" : coordination::living_run(directory, claimant);
  if (!run.empty()) {
    throw core::CoordinationBusy({.what = run,
                                  .where = directory.path().string(),
                                  .hint = "Its files go when it ends; --force removes them now"});
  }
  return remove_run_place(directory);
}

} // namespace

CleanupReport clean_up(const CleanupRequest& request, const core::DebugLog& log) {
  const coordination::CoordinationDirectory directory(coordination::find_coordination_directory(
      request.working_directory, request.rootdir, request.settings));
  const fs::path rootdir = find_rootdir(request, directory);
  const fs::path datafile =
      request.settings.datafile
          ? rootdir / *request.settings.datafile
          : datafile_of_state(directory).value_or(rootdir / request.settings.datafile_path());

  CleanupReport report{.directory = directory.path(), .removed = false, .datafile = {}};
  report.removed = remove_coordination_files(request, directory);
  log("{}: {}", directory.path().string(), report.removed ? "removed" : "nothing to remove");
  const bool is_private = shared_directory_of(directory).has_value();
  if (!is_private && request.truncate_wal && fs::exists(datafile) &&
      datafile::can_be_written(datafile)) {
    datafile::truncate_wal(datafile, request.busy_timeout);
    report.datafile = datafile;
    log("{}: WAL truncated", datafile.string());
  }
  return report;
}

} // namespace testmon_precreate
