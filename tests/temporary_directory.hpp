#pragma once

#include <filesystem>
#include <string_view>

namespace testmon_precreate::tests {

// A new empty directory that goes with the object, with all that is in it.
class TemporaryDirectory {
public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // Writes a file below the directory, making its parents; returns its path.
  std::filesystem::path write(const std::filesystem::path& relative,
                              std::string_view content = {}) const;

private:
  std::filesystem::path path_;
};

} // namespace testmon_precreate::tests
