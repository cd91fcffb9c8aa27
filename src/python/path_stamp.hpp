#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace testmon_precreate::python {

// How far a result depends on a path.
enum class Dependence {
  existence, // only whether it is there
  state,     // any change of the file, or of the names in the directory
  names,     // which of some names are in the directory, with whatever suffix
};

// Something on disk that a result depends on, and how it looked.
struct PathStamp {
  Dependence dependence = Dependence::state;
  std::filesystem::path path;
  std::string look;

  friend bool operator==(const PathStamp&, const PathStamp&) = default;
};

// How `path` looks now. `names`, sorted, are those that Dependence::names cares for: a directory
// entry counts where the part before its first dot is one of them. Never throws for a path that
// is absent or cannot be read: that is a look too.
[[nodiscard]] std::string look_at(const std::filesystem::path& path, Dependence dependence,
                                  const std::vector<std::string>& names);

// Whether a look that tells times tells one at or after `moment`: a change so young may have
// happened while the result was computed, or in the same tick of the file system's clock as it.
[[nodiscard]] bool is_younger_than(const std::string& look,
                                   std::chrono::system_clock::time_point moment);

} // namespace testmon_precreate::python
