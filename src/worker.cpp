#include "testmon_precreate/worker.hpp"
#include <testmon_precreate/coordination/acknowledgment.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <unistd.h>

namespace testmon_precreate {

coordination::WaitPolicy wait_policy(const core::Settings& settings) {
  coordination::WaitPolicy policy;
  policy.timeout = settings.worker_timeout;
  policy.interval = settings.check_interval;
  policy.backoff_factor = settings.backoff_factor;
  policy.max_interval = settings.max_interval;
  policy.max_age = settings.state_max_age;
  policy.use_notifications = settings.notifications;
  return policy;
}

namespace {

coordination::Acknowledgment acknowledgment_of(const AwaitRequest& request,
                                               const coordination::WaitResult& result) {
  return {.worker_id = *request.settings.worker_id,
          .pid = ::getpid(),
          .hostname = util::hostname(),
          .timestamp = util::wall_clock_now().count(),
          .waited_seconds = result.waited.count(),
          .run_uid = result.state.run_uid ? result.state.run_uid : request.settings.run_uid};
}

} // namespace

AwaitResult await_state(const AwaitRequest& request, const core::DebugLog& log) {
  const core::Settings& settings = request.settings;
  const bool acknowledges = request.acknowledge && settings.worker_id;
  if (acknowledges) {
    core::check_worker_id(*settings.worker_id);
  }
  const coordination::CoordinationDirectory directory(coordination::find_coordination_directory(
      request.working_directory, request.rootdir, settings));
  log("waiting for {} of run {}, up to {} s", directory.state_path().string(),
      settings.run_uid.value_or("(any)"), settings.worker_timeout.count());
  coordination::WaitPolicy policy = wait_policy(settings);
  policy.after_a_second = request.after_a_second;
  const auto accept = [&](const coordination::WaitResult& result) {
    return !acknowledges ||
           coordination::acknowledge(directory, acknowledgment_of(request, result), result.file);
  };
  AwaitResult result{.wait =
                         coordination::wait_for_state(directory, settings.run_uid, policy, accept),
                     .state_path = directory.state_path()};
  log("environment {} of {} after {:.3f} s, {} looks", result.wait.state.environment_id,
      result.wait.state.database_path, result.wait.waited.count(), result.wait.looks);
  return result;
}

} // namespace testmon_precreate
