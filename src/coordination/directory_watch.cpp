#include "testmon_precreate/coordination/directory_watch.hpp"
#include <testmon_precreate/util/files.hpp>

#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

// DN_CREATE: also what is linked into the directory or comes from another one. No DN_MODIFY: the
// content of each acknowledgment would signal all processes that still wait, which costs much if
// there are many of them. A writer that fills its file in place is noticed when it makes the file;
// one that makes none, by the clock.
constexpr unsigned comings_and_goings = DN_CREATE | DN_RENAME | DN_DELETE;

} // namespace

DirectoryWatch::DirectoryWatch(fs::path directory)
    : directory_(std::move(directory))
    , signals_({SIGIO}) {
  watch();
}

DirectoryWatch::~DirectoryWatch() {
  watched_.clear();
  // One that arrived meanwhile must not reach the thread: it would end the process.
  static_cast<void>(signals_.take());
}

int DirectoryWatch::get() const noexcept { return watched_.empty() ? -1 : signals_.get(); }

bool DirectoryWatch::take() {
  if (!signals_.take()) {
    return false;
  }
  if (!is_up_to_date()) {
    watch();
  }
  return true;
}

void DirectoryWatch::watch() {
  // Each round but the last one means that a directory was made or removed meanwhile.
  constexpr int most_rounds = 100;
  for (int round = 0; round < most_rounds; ++round) {
    watched_.clear();
    const bool found = add(directory_) ? add(directory_.parent_path()) : watch_nearest_parent();
    if (!found || is_up_to_date()) {
      return;
    }
  }
}

bool DirectoryWatch::watch_nearest_parent() {
  fs::path nearest = directory_;
  do {
    if (nearest == nearest.parent_path()) {
      return false;
    }
    nearest = nearest.parent_path();
  } while (!add(nearest));
  return true;
}

bool DirectoryWatch::add(const fs::path& path) {
  util::FileDescriptor descriptor = util::try_open_file(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  // To this thread alone: another one would not hold the signal back.
  f_owner_ex owner{.type = F_OWNER_TID, .pid = ::gettid()};
  if (!descriptor || ::fcntl(descriptor.get(), F_SETOWN_EX, &owner) != 0 ||
      ::fcntl(descriptor.get(), F_NOTIFY, comings_and_goings | DN_MULTISHOT) != 0) {
    return false;
  }
  watched_.push_back({path, std::move(descriptor)});
  return true;
}

bool DirectoryWatch::is_up_to_date() const {
  if (watched_.empty() || !util::leads_to(watched_.front().path, watched_.front().descriptor)) {
    return false;
  }
  const fs::path& nearest = watched_.front().path;
  if (nearest == directory_) {
    return true;
  }
  std::error_code ignored;
  const fs::path rest = directory_.lexically_relative(nearest);
  return rest.empty() || !fs::exists(fs::symlink_status(nearest / *rest.begin(), ignored));
}

} // namespace testmon_precreate::coordination
