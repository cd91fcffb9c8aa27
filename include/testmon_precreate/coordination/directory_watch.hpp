#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <filesystem>
#include <vector>

namespace testmon_precreate::coordination {

// Notices that files appear in, or go from, one directory, which need not exist yet. A hint only: a
// network file system reports nothing of what other machines do.
//
// By dnotify (F_NOTIFY in fcntl(2)), which does not say which file it was. inotify(7) would, but a
// process that closes an inotify descriptor, or ends with one open, waits for the kernel to retire
// its watches (fsnotify_wait_marks_destroyed in fs/notify/mark.c). Side by side, the hand-over to
// one waiter took 0.5 ms by dnotify and 20 ms by inotify, to the last of 64 waiters 18 and 39 ms
// (medians; hand_over in scripts/benchmarks/bench_coordination.py). Closing a directory costs none
// of that.
class DirectoryWatch {
public:
  // `directory` must be absolute. Any change after this returns is reported. Throws
  // std::system_error if the process can have no more descriptors.
  explicit DirectoryWatch(std::filesystem::path directory);
  ~DirectoryWatch();
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  DirectoryWatch(DirectoryWatch&&) = delete;
  DirectoryWatch& operator=(DirectoryWatch&&) = delete;

  // For poll(2): readable once something has happened; -1 if nothing can be watched.
  [[nodiscard]] int get() const noexcept;

  // Takes what was reported; returns whether there was anything. To be called by the thread that
  // made the watch.
  [[nodiscard]] bool take();

private:
  struct Watched {
    std::filesystem::path path;
    util::FileDescriptor descriptor;
  };

  void watch();
  [[nodiscard]] bool watch_nearest_parent();
  [[nodiscard]] bool add(const std::filesystem::path& path);
  [[nodiscard]] bool is_up_to_date() const;

  std::filesystem::path directory_;
  util::SignalDescriptor signals_;
  std::vector<Watched> watched_; // the directory and its parent, or the nearest parent alone
};

} // namespace testmon_precreate::coordination
