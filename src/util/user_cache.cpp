#include "testmon_precreate/util/user_cache.hpp"
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

// Keeps the directory small: each working directory of a machine may leave a file.
void remove_oldest(const fs::path& directory, std::string_view prefix, std::size_t most_files) {
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

// FNV-1a: the whole key is compared too, so that two keys of one hash only compete for a file.
std::string cache_file_name(std::string_view prefix, std::string_view key,
                            std::string_view suffix) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return fmt::format("{}-{:016x}.{}", prefix, hash, suffix);
}

bool is_own_file(const fs::path& file) {
  struct stat status {};

  return ::lstat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void write_cache_file(const fs::path& directory, const std::string& name, std::string_view content,
                      std::size_t most_files) {
  fs::create_directories(directory);
  fs::permissions(directory, fs::perms::owner_all);
  write_file_atomically(directory / name, content);
  remove_oldest(directory, std::string_view(name).substr(0, name.find('-') + 1), most_files);
}

} // namespace testmon_precreate::util
