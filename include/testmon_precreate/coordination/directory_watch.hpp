#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace testmon_precreate::coordination {

// Notices files that appear in, or go from, one directory (inotify(7)), which need not exist yet:
// until it does, its nearest parent is watched. A hint only: where the system has no notification
// (none left, another operating system, a network file system) nothing is ever reported.
class DirectoryWatch {
public:
  // `directory` must be absolute. Whoever looks after this returned misses nothing.
  explicit DirectoryWatch(std::filesystem::path directory);

  // For poll(2): readable once something happened; -1 where nothing can be watched.
  [[nodiscard]] int get() const noexcept { return inotify_.get(); }

  // Takes what was reported. Returns whether a file for whose name `matters` holds was among it,
  // or something that may stand for one.
  [[nodiscard]] bool take(const std::function<bool(std::string_view)>& matters);

private:
  void watch_nearest();
  [[nodiscard]] int add_watch(const std::filesystem::path& path) const;

  std::filesystem::path directory_;
  util::FileDescriptor inotify_;
  int watch_ = -1;
  std::string awaited_; // the entry that leads nearer; empty once the directory itself is watched
};

} // namespace testmon_precreate::coordination
