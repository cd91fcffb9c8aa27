#pragma once

#include <testmon_precreate/coordination/directory_watch.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/signals.hpp>

#include <vector>

namespace testmon_precreate::coordination {

// By dnotify (F_NOTIFY in fcntl(2)): says that something happened, not to which file. It is here
// for the end of the wait: whoever closes an inotify descriptor, or ends with one open, waits for
// the kernel to retire its watches (fsnotify_wait_marks_destroyed in fs/notify/mark.c), now and
// then for 20 ms, and longest where many workers end at once. Closing a directory is free of that.
class DnotifyWatch : public DirectoryWatch {
public:
  explicit DnotifyWatch(std::filesystem::path directory);
  ~DnotifyWatch() override;
  DnotifyWatch(const DnotifyWatch&) = delete;
  DnotifyWatch& operator=(const DnotifyWatch&) = delete;
  DnotifyWatch(DnotifyWatch&&) = delete;
  DnotifyWatch& operator=(DnotifyWatch&&) = delete;

  [[nodiscard]] int get() const noexcept override;

  // Anything may stand for a file that matters.
  [[nodiscard]] bool take(const Matters& matters) override;

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
