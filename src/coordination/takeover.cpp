#include "file_errors.hpp"

#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/coordination/takeover.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/process_identity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

// Whether the lock was taken. A file system without locks (ENOLCK, EBADF for a directory on NFS)
// counts as taken: files are written whole anyway, only the order of two runs is not guarded then.
bool try_lock(int file, int operation) {
  while (::flock(file, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return false;
    }
    if (errno != EINTR) {
      return true;
    }
  }
  return true;
}

// Locks the directory itself, which is held for a few system calls only: by workers (shared)
// between checking the state and acknowledging it, by a claimant (exclusive) while it removes
// leftovers. False where somebody keeps it all the same, such as a process that is suspended.
bool lock_briefly(const util::DirectoryHandle& directory, int operation) {
  constexpr int most_attempts = 1000;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    if (try_lock(directory.get(), operation)) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// A file that was removed after we had opened it guards nothing any more.
bool is_at(const util::FileDescriptor& file, const fs::path& path) {
  struct stat ours {};

  struct stat there {};

  return ::fstat(file.get(), &ours) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

// The lock that a claim consists of; nothing while others hold it, or where there is no directory.
std::optional<util::FileDescriptor> lock_directory(const CoordinationDirectory& directory) {
  while (true) {
    const auto handle = directory.open();
    if (!handle) {
      return std::nullopt;
    }
    util::FileDescriptor file;
    try {
      file = handle->open_file(lock_name, O_RDWR | O_CREAT);
    } catch (const fs::filesystem_error& error) {
      if (is_absence(error)) {
        continue; // the directory itself was removed after we had opened it
      }
      throw;
    }
    if (!try_lock(file.get(), LOCK_EX)) {
      return std::nullopt;
    }
    if (is_at(file, directory.path() / lock_name)) {
      return file;
    }
  }
}

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

// What stands in the way of a claim; empty where nothing does.
std::string obstacle(const std::optional<CoordinationState>& state, const Claimant& claimant) {
  if (!state || is_own(*state, claimant) || controller_life(*state) != ControllerLife::alive) {
    return {};
  }
  return fmt::format(
      "run {} is going on: its controller, process {}, is alive, its state is {:.1f} s old",
      state->run_uid.value_or("(without id)"), state->controller_pid, age_of(*state));
}

[[noreturn]] void throw_busy(const std::string& what, const CoordinationDirectory& directory,
                             const char* hint) {
  throw core::CoordinationBusy({.what = what, .where = directory.path().string(), .hint = hint});
}

constexpr const char* another_prepare = "another `prepare` is at work";

// A place in the queue: a file that its owner keeps locked. The numbers are the order of arrival.
class QueueTicket {
public:
  // Call with the directory locked.
  explicit QueueTicket(const util::DirectoryHandle& directory)
      : path_(directory.path()) {
    const std::vector<std::string> others = names_in(directory);
    const unsigned long last =
        others.empty() ? 0 : std::stoul(others.back().substr(queue_prefix.size()));
    name_ = fmt::format("{}{:012}", queue_prefix, last + 1);
    file_ = directory.open_file(name_, O_RDWR | O_CREAT | O_EXCL);
    static_cast<void>(try_lock(file_.get(), LOCK_EX));
  }

  QueueTicket(const QueueTicket&) = delete;
  QueueTicket& operator=(const QueueTicket&) = delete;
  QueueTicket(QueueTicket&&) = delete;
  QueueTicket& operator=(QueueTicket&&) = delete;

  ~QueueTicket() { ::unlink((path_ / name_).c_str()); }

  // Whether nobody who still waits came before. Call with the directory locked.
  [[nodiscard]] bool is_first(const util::DirectoryHandle& directory) const {
    for (const std::string& other : names_in(directory)) {
      if (other == name_) {
        return true;
      }
      if (other < name_ && is_held(directory, other)) {
        return false;
      }
    }
    return true;
  }

  // Removes the places of those that died.
  static void remove_abandoned(const util::DirectoryHandle& directory) {
    for (const std::string& name : names_in(directory)) {
      static_cast<void>(is_held(directory, name));
    }
  }

  // Call with the directory locked.
  static bool anybody_waits(const util::DirectoryHandle& directory) {
    const std::vector<std::string> names = names_in(directory);
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return is_held(directory, name); });
  }

private:
  static std::vector<std::string> names_in(const util::DirectoryHandle& directory) {
    std::vector<std::string> names = directory.names();
    std::erase_if(names, [](const std::string& name) { return !is_ticket_name(name); });
    std::sort(names.begin(), names.end());
    return names;
  }

  static bool is_ticket_name(std::string_view name) {
    constexpr std::size_t digits = 12;
    return name.size() == queue_prefix.size() + digits && name.starts_with(queue_prefix) &&
           name.find_first_not_of("0123456789", queue_prefix.size()) == std::string_view::npos;
  }

  static bool is_held(const util::DirectoryHandle& directory, const std::string& name) {
    try {
      const util::FileDescriptor file = directory.open_file(name, O_RDWR);
      if (!try_lock(file.get(), LOCK_EX)) {
        return true;
      }
      static_cast<void>(directory.remove_regular_file(name));
    } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch): given up meanwhile
    }
    return false;
  }

  fs::path path_;
  std::string name_;
  util::FileDescriptor file_;
};

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

  // The lock where the directory is the claimant's now.
  std::optional<util::FileDescriptor> attempt() {
    auto lock = lock_directory(*directory_);
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
    if (!ticket_ && (!obstacle_.empty() || QueueTicket::anybody_waits(handle))) {
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

bool makes_way(std::string_view name) {
  return name == state_name || name == lock_name || name.starts_with(queue_prefix);
}

} // namespace

DirectoryClaim claim_for_run(const CoordinationDirectory& directory, const Claimant& claimant,
                             util::Seconds wait_for_run, bool use_notifications) {
  return translate_file_errors([&] {
    const bool queue = wait_for_run.count() > 0;
    RunClaim claim(directory, claimant, queue);
    Pauses pauses(directory.path(), makes_way,
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

bool clean_up(const CoordinationDirectory& directory, const Claimant& claimant, bool force,
              bool use_notifications) {
  return translate_file_errors([&] {
    Pauses pauses(directory.path(), makes_way, claim_policy(a_moment, use_notifications));
    while (const auto handle = directory.open()) {
      if (const auto lock = lock_directory(directory)) {
        const std::string found = force ? "" : obstacle(readable_state(directory), claimant);
        if (!found.empty()) {
          throw_busy(found, directory, "Its files go when it ends; --force removes them now");
        }
        QueueTicket::remove_abandoned(*handle);
        return directory.remove();
      }
      if (!pauses.wait()) {
        throw_busy(another_prepare, directory, "Try again when it has ended");
      }
    }
    return false;
  });
}

bool acknowledge(const CoordinationDirectory& directory, const Acknowledgment& acknowledgment,
                 const FileIdentity& state_file) {
  const std::string name = acknowledgment_name(acknowledgment.worker_id);
  return translate_file_errors([&] {
    const auto handle = directory.open();
    if (!handle || !lock_briefly(*handle, LOCK_SH) || state_identity(*handle) != state_file) {
      return false;
    }
    handle->link_file_atomically(name, to_json(acknowledgment));
    return true;
  });
}

} // namespace testmon_precreate::coordination
