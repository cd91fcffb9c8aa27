#pragma once

#include <testmon_precreate/coordination/directory_watch.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <string>

namespace testmon_precreate::coordination {

// By inotify(7): says which files. Until the directory exists its nearest parent is watched.
class InotifyWatch : public DirectoryWatch {
public:
  explicit InotifyWatch(std::filesystem::path directory);

  [[nodiscard]] int get() const noexcept override { return inotify_.get(); }

  [[nodiscard]] bool take(const Matters& matters) override;

private:
  void watch_nearest();
  [[nodiscard]] int add_watch(const std::filesystem::path& path) const;

  std::filesystem::path directory_;
  util::FileDescriptor inotify_;
  int watch_ = -1;
  std::string awaited_; // the entry that leads nearer; empty once the directory itself is watched
};

} // namespace testmon_precreate::coordination
