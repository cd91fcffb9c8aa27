#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>

#include <filesystem>
#include <string_view>
#include <vector>

namespace testmon_precreate::util {

enum class EntryType {
  file,
  directory,
  link,
  other,
  unknown, // the file system does not say without a look at the entry itself
};

struct DirectoryEntry {
  std::string_view name; // valid until the reader reads or goes
  EntryType type = EntryType::unknown;
};

// Lists directories by getdents64 with one buffer for all of them: two system calls a directory
// beside open and close, and no look at the entries themselves.
class DirectoryReader {
public:
  DirectoryReader();

  // The entries of the directory that `directory` is open on, `.` and `..` left out, in the
  // system's order. Throws std::filesystem::filesystem_error, which names `path`.
  [[nodiscard]] const std::vector<DirectoryEntry>& read(const FileDescriptor& directory,
                                                        const std::filesystem::path& path);

private:
  std::vector<char> buffer_;
  std::vector<DirectoryEntry> entries_;
};

} // namespace testmon_precreate::util
