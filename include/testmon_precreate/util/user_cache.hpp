#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace testmon_precreate::util {

// What this program keeps for a user between its runs. All of it can be computed again: a
// corrupt file counts as none, and one that cannot be written is no error.

// $XDG_CACHE_HOME/testmon-precreate, ~/.cache/testmon-precreate without that variable; empty
// without HOME too. It need not exist.
[[nodiscard]] std::filesystem::path cache_directory(const ProcessEnvironment& environment);

// A file in that directory; another one for each heading.
class CacheFile {
public:
  // Keeps nothing if `directory` is empty. `kind` is a word; `heading`, a line, tells what the file
  // is about: two of them may get one name.
  CacheFile(const std::filesystem::path& directory, std::string_view kind, std::string heading);

  // What was written last; nothing if there is no such file, or one that another user can have
  // written.
  [[nodiscard]] std::optional<std::string> read() const;

  // Replaces the file, and removes the least recently written ones of its kind, so that 64 stay.
  void write(std::string_view content) const;

private:
  std::filesystem::path path_; // empty: nothing is kept
  std::string prefix_;         // of the names of its kind
  std::string heading_;
};

} // namespace testmon_precreate::util
