#include "path_stamp.hpp"

#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>

#include <dirent.h>
#include <sys/stat.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

constexpr const char* absent = "absent";

std::int64_t nanoseconds(const timespec& time) {
  return std::chrono::nanoseconds(std::chrono::seconds(time.tv_sec)).count() + time.tv_nsec;
}

// The times come last: is_younger_than reads them.
std::string state_of(const fs::path& path, bool existence_only) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0) {
    return absent;
  }
  if (existence_only) {
    return S_ISDIR(status.st_mode) ? "directory" : "file";
  }
  return fmt::format("{}:{}:{}:{}:{}", status.st_dev, status.st_ino, status.st_size,
                     nanoseconds(status.st_mtim), nanoseconds(status.st_ctim));
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

std::string names_in(const fs::path& path, const std::vector<std::string>& names) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  if (directory == nullptr) {
    return state_of(path, false); // a zip file, or nothing
  }
  std::vector<std::string> found;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name(static_cast<const char*>(entry->d_name));
    if (std::binary_search(names.begin(), names.end(), name.substr(0, name.find('.')))) {
      found.emplace_back(name);
    }
  }
  std::sort(found.begin(), found.end());
  return fmt::format("names {}", fmt::join(found, "/"));
}

} // namespace

std::string look_at(const fs::path& path, Dependence dependence,
                    const std::vector<std::string>& names) {
  if (dependence == Dependence::names) {
    return names_in(path, names);
  }
  return state_of(path, dependence == Dependence::existence);
}

bool is_younger_than(const std::string& look, std::chrono::system_clock::time_point moment) {
  const std::vector<std::string_view> parts = util::split(look, ':');
  constexpr std::size_t first_time = 3;
  const auto limit =
      std::chrono::duration_cast<std::chrono::nanoseconds>(moment.time_since_epoch()).count();
  return std::any_of(parts.begin() +
                         static_cast<std::ptrdiff_t>(std::min(first_time, parts.size())),
                     parts.end(), [limit](std::string_view part) {
                       std::int64_t time = 0;
                       std::from_chars(part.data(), part.data() + part.size(), time);
                       return time >= limit;
                     });
}

} // namespace testmon_precreate::python
