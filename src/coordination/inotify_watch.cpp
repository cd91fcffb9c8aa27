#include <testmon_precreate/coordination/inotify_watch.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

InotifyWatch::InotifyWatch(fs::path directory)
    : directory_(std::move(directory))
    , inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (inotify_) {
    watch_nearest();
  }
}

int InotifyWatch::add_watch(const fs::path& path) const {
  constexpr std::uint32_t of_the_watched_itself = IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  // IN_CREATE and IN_MOVED_TO: our own files, linked or renamed into place. IN_CLOSE_WRITE: those
  // of a writer that does neither.
  constexpr std::uint32_t of_files = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE;
  constexpr std::uint32_t of_directories = IN_MOVED_TO | IN_CREATE;
  return ::inotify_add_watch(inotify_.get(), path.c_str(),
                             of_the_watched_itself |
                                 (path == directory_ ? of_files : of_directories));
}

void InotifyWatch::watch_nearest() {
  // Each round but the last one means that somebody made or removed a directory meanwhile.
  constexpr int most_rounds = 100;
  for (int round = 0; round < most_rounds; ++round) {
    fs::path nearest = directory_;
    awaited_.clear();
    while ((watch_ = add_watch(nearest)) < 0) {
      if ((errno != ENOENT && errno != ENOTDIR) || nearest == nearest.parent_path()) {
        inotify_.close();
        return;
      }
      awaited_ = nearest.filename().string();
      nearest = nearest.parent_path();
    }
    std::error_code ignored;
    if (awaited_.empty() || !fs::is_directory(nearest / awaited_, ignored)) {
      return;
    }
    ::inotify_rm_watch(inotify_.get(), watch_);
  }
}

bool InotifyWatch::take(const Matters& matters) {
  constexpr std::size_t room_for_many = 16UL * 1024;
  alignas(inotify_event) std::array<char, room_for_many> buffer{};
  bool found = false;
  bool lost = false;
  while (inotify_) {
    const ssize_t length = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (length <= 0) {
      break;
    }
    for (std::size_t offset = 0; offset < static_cast<std::size_t>(length);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + offset, sizeof event);
      const std::string_view name(event.len == 0 ? "" : buffer.data() + offset + sizeof event);
      offset += sizeof event + event.len;
      found = found || (event.mask & IN_Q_OVERFLOW) != 0;
      if (event.wd != watch_) {
        continue; // of a watch that is gone
      }
      const bool self = (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
      lost = lost || self || (!awaited_.empty() && name == awaited_);
      found = found || (awaited_.empty() && matters(name));
    }
  }
  if (lost) {
    ::inotify_rm_watch(inotify_.get(), watch_);
    watch_nearest();
  }
  return found || lost;
}

} // namespace testmon_precreate::coordination
