#include "testmon_precreate/coordination/claim.hpp"

#include "file_errors.hpp"
#include "locks.hpp"
#include "queue.hpp"

#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

bool is_ancestor_of_this_process(pid_t pid) {
  constexpr int most_generations = 64;
  pid_t ancestor = ::getpid();
  for (int generation = 0; ancestor > 0 && generation < most_generations; ++generation) {
    if (ancestor == pid) {
      return true;
    }
    ancestor = util::parent_of(ancestor).value_or(0);
  }
  return false;
}

bool is_own(const CoordinationState& state, const Claimant& claimant) {
  if (claimant.run_uid && state.run_uid) {
    return claimant.run_uid == state.run_uid;
  }
  return (claimant.controller_pid && claimant.controller_pid == state.controller_pid) ||
         (controller_life(state) == ControllerLife::alive &&
          is_ancestor_of_this_process(state.controller_pid));
}

// Nothing for what no run can have written: it is no state, or no file. A file that cannot be read
// may be a living run's.
std::optional<CoordinationState> readable_state(const CoordinationDirectory& directory) {
  try {
    return directory.read_state();
  } catch (const core::InvalidCoordinationState&) {
    return std::nullopt;
  } catch (const core::CoordinationFileError&) {
    std::error_code ignored;
    if (fs::is_regular_file(fs::symlink_status(directory.state_path(), ignored))) {
      throw;
    }
    return std::nullopt;
  }
}

// What stands in the way of a claim; empty if nothing does.
std::string obstacle(const std::optional<CoordinationState>& state, const Claimant& claimant) {
  if (!state || is_own(*state, claimant) || controller_life(*state) != ControllerLife::alive) {
    return {};
  }
  return fmt::format("run {} is still in progress: its controller, process {}, is alive, its state "
                     "is {:.1f} s old",
                     state->run_uid.value_or("(without id)"), state->controller_pid,
                     age_of(*state));
}

[[noreturn]] void throw_busy(const std::string& what, const CoordinationDirectory& directory,
                             const char* hint) {
  throw core::CoordinationBusy({.what = what, .where = directory.path().string(), .hint = hint});
}

constexpr const char* another_prepare = "another `prepare` is at work";

// What of an earlier run is left. A worker that is still writing its acknowledgment has seen a
// state that is gone when it looks again.
void remove_leftovers(const CoordinationDirectory& directory, const util::DirectoryHandle& handle,
                      const Claimant& claimant) {
  // In the worst case a suspended worker acknowledges too late: its file is of another run.
  static_cast<void>(lock_briefly(handle, LOCK_EX));
  const auto state = readable_state(directory);
  const bool own = state && is_own(*state, claimant);
  if (!own) {
    static_cast<void>(handle.remove_regular_file(state_name));
  }
  std::vector<std::string> kept;
  if (own && claimant.run_uid) {
    for (const Acknowledgment& acknowledgment : directory.read_acknowledgments()) {
      if (acknowledgment.run_uid == claimant.run_uid) {
        kept.push_back(acknowledgment_name(acknowledgment.worker_id));
      }
    }
  }
  for (const std::string& name : handle.names()) {
    if (is_acknowledgment_name(name) && std::find(kept.begin(), kept.end(), name) == kept.end()) {
      static_cast<void>(handle.remove_regular_file(name));
    }
  }
  static_cast<void>(::flock(handle.get(), LOCK_UN));
}

// One attempt after another to take the directory for a run.
class RunClaim {
public:
  RunClaim(const CoordinationDirectory& directory, const Claimant& claimant, bool queue)
      : directory_(&directory)
      , claimant_(&claimant)
      , queue_(queue) {}

  // The lock if the directory is the claimant's now.
  std::optional<util::FileDescriptor> attempt() {
    auto lock = lock_for_claim(*directory_);
    if (!lock) {
      directory_->create(); // a clean-up may have removed it
      obstacle_ = another_prepare;
      return std::nullopt;
    }
    const auto handle = directory_->open();
    if (!handle) {
      return std::nullopt;
    }
    obstacle_ = obstacle(readable_state(*directory_), *claimant_);
    if (queue_) {
      wait_in_line(*handle);
    }
    if (!obstacle_.empty()) {
      return std::nullopt;
    }
    ticket_.reset();
    remove_leftovers(*directory_, *handle, *claimant_);
    return lock;
  }

  [[nodiscard]] const std::string& obstacle_text() const { return obstacle_; }

private:
  void wait_in_line(const util::DirectoryHandle& handle) {
    if (!ticket_ && (!obstacle_.empty() || has_queue(handle))) {
      ticket_.emplace(handle);
    }
    if (obstacle_.empty() && ticket_ && !ticket_->is_first(handle)) {
      obstacle_ = "another run waits for its turn";
    }
  }

  const CoordinationDirectory* directory_;
  const Claimant* claimant_;
  bool queue_;
  std::optional<QueueTicket> ticket_;
  std::string obstacle_;
};

WaitPolicy claim_policy(util::Seconds timeout, bool use_notifications) {
  WaitPolicy policy;
  policy.use_notifications = use_notifications;
  policy.timeout = timeout;
  policy.interval = util::Seconds(0.005);
  policy.max_interval = util::Seconds(0.25);
  return policy;
}

// Long enough for a lock that is held for a few system calls.
constexpr util::Seconds a_moment{5};

} // namespace

DirectoryClaim claim_for_run(const CoordinationDirectory& directory, const Claimant& claimant,
                             util::Seconds wait_for_run, bool use_notifications) {
  return translate_file_errors([&] {
    const bool queue = wait_for_run.count() > 0;
    RunClaim claim(directory, claimant, queue);
    Pauses pauses(directory.path(),
                  claim_policy(queue ? wait_for_run : a_moment, use_notifications));
    while (true) {
      if (auto lock = claim.attempt()) {
        return DirectoryClaim(std::move(*lock));
      }
      const bool worth_waiting = queue || claim.obstacle_text() == another_prepare;
      if (!worth_waiting || !pauses.wait()) {
        throw_busy(claim.obstacle_text(), directory,
                   "Wait for it with --wait-for-run SECONDS, or give each run a TESTMON_XDIST_DIR "
                   "of its own");
      }
    }
  });
}

std::string living_run(const CoordinationDirectory& directory, const Claimant& claimant) {
  return obstacle(readable_state(directory), claimant);
}

bool remove_coordination_files(const CoordinationDirectory& directory, const Claimant& claimant,
                               bool force, bool use_notifications) {
  return translate_file_errors([&] {
    Pauses pauses(directory.path(), claim_policy(a_moment, use_notifications));
    while (const auto handle = directory.open()) {
      if (const auto lock = lock_for_claim(directory)) {
        const std::string found = force ? "" : obstacle(readable_state(directory), claimant);
        if (!found.empty()) {
          throw_busy(found, directory, "Its files go when it ends; --force removes them now");
        }
        has_queue(*handle); // removes the places of those that have died
        return directory.remove();
      }
      if (!pauses.wait()) {
        throw_busy(another_prepare, directory, "Try again when it has ended");
      }
    }
    return false;
  });
}

} // namespace testmon_precreate::coordination
