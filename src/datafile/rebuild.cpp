#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/rebuild.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// Renames without ever replacing anything; false where `to` exists.
bool rename_to_free(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  // A file system that does not know the flag.
  if (errno == EINVAL && !fs::exists(fs::symlink_status(to))) {
    fs::rename(from, to);
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  throw fs::filesystem_error("rename", from, to, std::error_code(errno, std::generic_category()));
}

fs::path rename_to_first_free(const fs::path& from, const fs::path& file, const char* suffix) {
  for (int number = 1;; ++number) {
    fs::path to = fs::path(file) += fmt::format(".damaged-{}", number);
    if (rename_to_free(from, fs::path(to) += suffix)) {
      return to;
    }
  }
}

// Whether `path` still names the file that `descriptor` has open.
bool is_still(const fs::path& path, const util::FileDescriptor& descriptor) {
  struct stat opened {};

  struct stat named {};

  return ::fstat(descriptor.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

} // namespace

std::optional<fs::path> move_aside(const fs::path& file) {
  const bool log_alone = !fs::exists(file);
  const fs::path locked = log_alone ? wal_path(file) : file;
  // Several processes may find the damage at once: who waited for the lock finds another file here.
  const util::FileDescriptor descriptor = util::open_file(locked, O_RDONLY);
  while (::flock(descriptor.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  if (!is_still(locked, descriptor)) {
    return std::nullopt;
  }
  if (log_alone) {
    return rename_to_first_free(locked, file, "-wal") += "-wal";
  }
  // The file goes first: a log alone is refused later, a file without its log would be believed.
  fs::path aside = rename_to_first_free(file, file, "");
  if (fs::exists(wal_path(file))) {
    fs::rename(wal_path(file), wal_path(aside));
  }
  std::error_code ignored; // only an index of the log, made anew when it is missing
  fs::remove(shm_path(file), ignored);
  return aside;
}

} // namespace testmon_precreate::datafile
