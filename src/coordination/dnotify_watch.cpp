#include <testmon_precreate/coordination/dnotify_watch.hpp>

#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

// DN_CREATE: also what is linked into the directory or comes from another one. No DN_MODIFY: the
// content of each acknowledgment would signal all those that still wait, which is dear where there
// are many of them. A writer that fills its file in place is noticed when it makes it, and one
// that makes none, by the clock.
constexpr unsigned comings_and_goings = DN_CREATE | DN_RENAME | DN_DELETE;

bool is_there(const fs::path& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0;
}

// Whether `path` still leads to the directory that was opened by it.
bool leads_to(const fs::path& path, const util::FileDescriptor& descriptor) {
  struct stat there {};

  struct stat opened {};

  return ::stat(path.c_str(), &there) == 0 && ::fstat(descriptor.get(), &opened) == 0 &&
         there.st_dev == opened.st_dev && there.st_ino == opened.st_ino;
}

} // namespace

DnotifyWatch::DnotifyWatch(fs::path directory)
    : directory_(std::move(directory))
    , signals_({SIGIO}) {
  watch();
}

DnotifyWatch::~DnotifyWatch() {
  watched_.clear();
  // One that arrived meanwhile must not reach the thread: it would end the process.
  static_cast<void>(signals_.take());
}

int DnotifyWatch::get() const noexcept { return watched_.empty() ? -1 : signals_.get(); }

bool DnotifyWatch::take(const Matters& /*matters*/) {
  if (!signals_.take()) {
    return false;
  }
  if (!is_up_to_date()) {
    watch();
  }
  return true;
}

void DnotifyWatch::watch() {
  // Each round but the last one means that somebody made or removed a directory meanwhile.
  constexpr int most_rounds = 100;
  for (int round = 0; round < most_rounds; ++round) {
    watched_.clear();
    const bool found = add(directory_) ? add(directory_.parent_path()) : watch_nearest_parent();
    if (!found || is_up_to_date()) {
      return;
    }
  }
}

bool DnotifyWatch::watch_nearest_parent() {
  fs::path nearest = directory_;
  do {
    if (nearest == nearest.parent_path()) {
      return false;
    }
    nearest = nearest.parent_path();
  } while (!add(nearest));
  return true;
}

bool DnotifyWatch::add(const fs::path& path) {
  util::FileDescriptor descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // To this thread alone: another one would not hold the signal back.
  f_owner_ex owner{.type = F_OWNER_TID, .pid = ::gettid()};
  if (!descriptor || ::fcntl(descriptor.get(), F_SETOWN_EX, &owner) != 0 ||
      ::fcntl(descriptor.get(), F_NOTIFY, comings_and_goings | DN_MULTISHOT) != 0) {
    return false;
  }
  watched_.push_back({path, std::move(descriptor)});
  return true;
}

bool DnotifyWatch::is_up_to_date() const {
  if (watched_.empty() || !leads_to(watched_.front().path, watched_.front().descriptor)) {
    return false;
  }
  const fs::path& nearest = watched_.front().path;
  if (nearest == directory_) {
    return true;
  }
  const fs::path rest = directory_.lexically_relative(nearest);
  return rest.empty() || !is_there(nearest / *rest.begin());
}

} // namespace testmon_precreate::coordination
