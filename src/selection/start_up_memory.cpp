#include "testmon_precreate/selection/start_up_memory.hpp"
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include <fcntl.h>

namespace testmon_precreate::selection {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_cache = 1U << 16U;

std::string name_for(const fs::path& rootdir) {
  return util::cache_file_name("start", rootdir.string(), "txt");
}

// The file names its project: two may get one name.
std::string heading(const fs::path& rootdir) { return rootdir.string() + '\n'; }

} // namespace

StartUpMemory::StartUpMemory(fs::path rootdir, fs::path cache_directory)
    : rootdir_(std::move(rootdir))
    , cache_directory_(std::move(cache_directory)) {}

std::optional<util::Seconds> StartUpMemory::recall() const {
  const fs::path file = cache_directory_ / name_for(rootdir_);
  if (cache_directory_.empty() || !util::is_own_file(file)) {
    return std::nullopt;
  }
  try {
    const std::string text = util::read_file(file, largest_cache, O_NOFOLLOW);
    const std::string first_line = heading(rootdir_);
    if (!text.starts_with(first_line)) {
      return std::nullopt;
    }
    double seconds = 0;
    const auto result =
        std::from_chars(text.data() + first_line.size(), text.data() + text.size(), seconds);
    const bool usable = result.ec == std::errc() && std::isfinite(seconds) && seconds > 0;
    return usable ? std::optional(util::Seconds(seconds)) : std::nullopt;
  } catch (const fs::filesystem_error&) {
    return std::nullopt;
  }
}

void StartUpMemory::learn(util::Seconds measured) const {
  if (cache_directory_.empty()) {
    return;
  }
  constexpr double growth = 1.1;
  const std::optional<util::Seconds> known = recall();
  const util::Seconds now = known ? std::min(measured, *known * growth) : measured;
  try {
    util::write_cache_file(cache_directory_, name_for(rootdir_),
                           heading(rootdir_) + fmt::format("{:.4f}\n", now.count()));
  } catch (const fs::filesystem_error&) {
    return; // a home that cannot be written
  }
}

} // namespace testmon_precreate::selection
