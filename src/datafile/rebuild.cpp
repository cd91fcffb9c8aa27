#include "testmon_precreate/datafile/rebuild.hpp"
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

fs::path rename_to_first_free(const fs::path& from, const fs::path& file, const char* suffix) {
  for (int number = 1;; ++number) {
    fs::path to = fs::path(file) += fmt::format(".damaged-{}", number);
    if (util::rename_to_new(from, fs::path(to) += suffix)) {
      return to;
    }
  }
}

} // namespace

std::optional<fs::path> move_aside(const fs::path& file) {
  const bool log_alone = !fs::exists(file);
  const fs::path locked = log_alone ? wal_path(file) : file;
  // Several processes may find the damage at once: who waited for the lock finds another file here.
  const util::FileDescriptor descriptor = util::open_file(locked, O_RDONLY);
  static_cast<void>(util::uninterrupted([&] { return ::flock(descriptor.get(), LOCK_EX); }));
  if (!util::leads_to(locked, descriptor)) {
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
  std::error_code ignored; // only an index of the log, made again if it is missing
  fs::remove(shm_path(file), ignored);
  return aside;
}

} // namespace testmon_precreate::datafile
