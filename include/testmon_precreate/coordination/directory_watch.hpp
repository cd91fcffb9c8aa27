#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

namespace testmon_precreate::coordination {

// Notices files that appear in, or go from, one directory, which need not exist yet. A hint only: a
// network file system reports nothing of what other machines do.
class DirectoryWatch {
public:
  using Matters = std::function<bool(std::string_view name)>;

  DirectoryWatch() = default;
  virtual ~DirectoryWatch() = default;
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  DirectoryWatch(DirectoryWatch&&) = delete;
  DirectoryWatch& operator=(DirectoryWatch&&) = delete;

  // For poll(2): readable once something happened; -1 where nothing can be watched.
  [[nodiscard]] virtual int get() const noexcept = 0;

  // Takes what was reported. Returns whether a file for whose name `matters` holds was among it, or
  // something that may stand for one. To be called by the thread that made the watch.
  [[nodiscard]] virtual bool take(const Matters& matters) = 0;
};

// Watches `directory`, which must be absolute, by the first means that works here: dnotify, then
// inotify. Whoever looks after this returned misses nothing. Null where there is neither. Throws
// std::system_error where the process can have no more descriptors.
[[nodiscard]] std::unique_ptr<DirectoryWatch>
watch_directory(const std::filesystem::path& directory);

} // namespace testmon_precreate::coordination
