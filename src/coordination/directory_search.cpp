#include "testmon_precreate/coordination/directory_search.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <functional>
#include <string>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::coordination {

namespace fs = std::filesystem;

namespace {

// Whether there is anything by that name other than a file; a link counts too, so that it can be
// refused.
bool has_directory(const fs::path& path) {
  struct stat status {};

  return ::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

bool can_be_written(const fs::path& directory) {
  std::error_code ignored;
  // A file of that name, or a parent that is yet to be made, has errors of its own.
  const fs::path place =
      fs::exists(fs::symlink_status(directory, ignored)) ? directory : directory.parent_path();
  return ::access(place.c_str(), W_OK) == 0 || (errno != EACCES && errno != EROFS);
}

fs::path temporary_place_of(const fs::path& directory) {
  std::error_code error;
  fs::path temporary = fs::temp_directory_path(error);
  if (error) {
    temporary = "/tmp";
  }
  return temporary / fmt::format("testmon_xdist-{}-{:016x}", ::geteuid(),
                                 std::hash<std::string>{}(directory.string()));
}

} // namespace

fs::path coordination_directory_of(const fs::path& rootdir, const core::Settings& settings) {
  fs::path beside = (rootdir / settings.directory_path()).lexically_normal();
  return settings.directory || can_be_written(beside) ? beside : temporary_place_of(beside);
}

fs::path find_coordination_directory(const fs::path& start, const std::optional<fs::path>& rootdir,
                                     const core::Settings& settings) {
  const fs::path name = settings.directory_path();
  const auto existing_one_of = [&](const fs::path& parent) -> std::optional<fs::path> {
    const fs::path beside = (parent / name).lexically_normal();
    const fs::path temporary = temporary_place_of(beside);
    const bool is_temporary = !settings.directory && has_directory(temporary);
    // What was written beside the data file can be read though it cannot be written now.
    if (has_directory(beside) && !(is_temporary && !can_be_written(beside))) {
      return beside;
    }
    return is_temporary ? std::optional(temporary) : std::nullopt;
  };
  if (rootdir || name.is_absolute()) {
    const fs::path parent = start / rootdir.value_or("");
    return existing_one_of(parent).value_or(coordination_directory_of(parent, settings));
  }
  for (fs::path parent = start;; parent = parent.parent_path()) {
    if (auto existing = existing_one_of(parent)) {
      return *existing;
    }
    if (parent == parent.parent_path()) {
      return coordination_directory_of(start, settings);
    }
  }
}

std::optional<fs::path> rootdir_of(const CoordinationDirectory& directory,
                                   const core::Settings& settings) {
  const fs::path name = settings.directory_path().lexically_normal();
  if (name.is_absolute()) {
    return std::nullopt;
  }
  fs::path rootdir = directory.path();
  for (const fs::path& part : name) {
    if (!part.empty()) {
      rootdir = rootdir.parent_path();
    }
  }
  return (rootdir / name).lexically_normal() == directory.path() ? std::optional(rootdir)
                                                                 : std::nullopt;
}

} // namespace testmon_precreate::coordination
