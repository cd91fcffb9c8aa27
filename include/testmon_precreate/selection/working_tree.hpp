#pragma once

#include <testmon_precreate/selection/content_hashes.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace testmon_precreate::selection {

// The contents of a project's files, each read at most once and remembered between runs in the
// user's cache directory. A file that was modified less than two seconds before it was read is not
// remembered: it could change again without another stamp (git calls such entries racy).
class WorkingTree {
public:
  // Remembers nothing if `cache_directory` is empty. `now` is the system's time.
  WorkingTree(std::filesystem::path rootdir, const std::filesystem::path& cache_directory,
              std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

  // The hashes of the regular file `filename`, relative to the rootdir; null if there is none or
  // it cannot be read. Valid as long as the tree. Throws nothing of the file's.
  [[nodiscard]] const ContentHashes* look_at(std::string_view filename);

  // Writes what was looked at to the cache, if that holds something else.
  void remember() const;

  [[nodiscard]] const std::filesystem::path& rootdir() const { return rootdir_; }

  // How many files were read because nothing remembered them.
  [[nodiscard]] std::size_t files_read() const { return files_read_; }

private:
  struct KnownFile {
    util::FileStamp stamp;
    ContentHashes hashes;
    bool lasting = true; // may be remembered
  };

  void recall();
  [[nodiscard]] std::optional<KnownFile> read(const std::string& filename);

  std::filesystem::path rootdir_;
  util::CacheFile cache_;
  std::chrono::system_clock::time_point now_;
  std::unordered_map<std::string, KnownFile> remembered_;
  std::map<std::string, std::optional<KnownFile>, std::less<>> seen_;
  std::size_t files_read_ = 0;
};

} // namespace testmon_precreate::selection
