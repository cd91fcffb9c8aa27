#include <testmon_precreate/coordination/directory_watch.hpp>
#include <testmon_precreate/coordination/dnotify_watch.hpp>
#include <testmon_precreate/coordination/inotify_watch.hpp>

namespace testmon_precreate::coordination {

std::unique_ptr<DirectoryWatch> watch_directory(const std::filesystem::path& directory) {
  std::unique_ptr<DirectoryWatch> watch = std::make_unique<DnotifyWatch>(directory);
  if (watch->get() < 0) {
    watch = std::make_unique<InotifyWatch>(directory);
  }
  return watch->get() < 0 ? nullptr : std::move(watch);
}

} // namespace testmon_precreate::coordination
