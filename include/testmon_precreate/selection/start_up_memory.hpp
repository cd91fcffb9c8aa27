#pragma once

#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <filesystem>
#include <optional>

namespace testmon_precreate::selection {

// What it takes to start a worker, remembered for each project in the user's cache directory.
class StartUpMemory {
public:
  // Remembers nothing if `cache_directory` is empty.
  StartUpMemory(const std::filesystem::path& rootdir, const std::filesystem::path& cache_directory)
      : cache_(cache_directory, "start", rootdir.string()) {}

  // Nothing if no run was measured yet.
  [[nodiscard]] std::optional<util::Seconds> recall() const;

  // Takes in a measured start. A quicker one counts at once, since what slows a start most is a
  // busy machine and the collection of many tests; slower ones by and by.
  void learn(util::Seconds measured) const;

private:
  util::CacheFile cache_;
};

} // namespace testmon_precreate::selection
