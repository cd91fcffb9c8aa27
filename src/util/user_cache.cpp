#include "testmon_precreate/util/user_cache.hpp"
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

// Whether `file` is a regular file that only this user can have written.
bool is_own_file(const fs::path& file) {
  struct stat status {};

  return ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// Keeps the directory small: each working directory of a machine may leave a file.
void remove_oldest(const fs::path& directory, std::string_view prefix) {
  constexpr std::size_t most_files = 64;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (entry.path().filename().string().starts_with(prefix)) {
      files.emplace_back(entry.last_write_time(), entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (std::size_t i = 0; i + most_files < files.size(); ++i) {
    fs::remove(files[i].second);
  }
}

} // namespace

fs::path cache_directory(const ProcessEnvironment& environment) {
  // A relative path is invalid (XDG Base Directory Specification).
  const fs::path cache = environment.get("XDG_CACHE_HOME").value_or("");
  if (cache.is_absolute()) {
    return cache / "testmon-precreate";
  }
  const fs::path home = environment.get("HOME").value_or("");
  return home.is_absolute() ? home / ".cache" / "testmon-precreate" : fs::path();
}

CacheFile::CacheFile(const fs::path& directory, std::string_view kind, std::string heading)
    : prefix_(fmt::format("{}-", kind))
    , heading_(std::move(heading) += '\n') {
  if (!directory.empty()) {
    path_ = directory / fmt::format("{}{:016x}.txt", prefix_, std::hash<std::string>{}(heading_));
  }
}

std::optional<std::string> CacheFile::read() const {
  constexpr std::size_t largest = 1U << 30U;
  try {
    std::string text = is_own_file(path_) ? read_file(path_, largest, O_NOFOLLOW) : "";
    if (text.starts_with(heading_)) {
      return text.substr(heading_.size());
    }
  } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch): as if there were none
  }
  return std::nullopt;
}

void CacheFile::write(std::string_view content) const {
  if (path_.empty()) {
    return;
  }
  try {
    fs::create_directories(path_.parent_path());
    fs::permissions(path_.parent_path(), fs::perms::owner_all);
    write_file_atomically(path_, std::string(heading_).append(content));
    remove_oldest(path_.parent_path(), prefix_);
  } catch (const fs::filesystem_error&) { // NOLINT(bugprone-empty-catch)
    // A home that cannot be written.
  }
}

} // namespace testmon_precreate::util
