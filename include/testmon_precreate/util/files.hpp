#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace testmon_precreate::util {

// Unless stated otherwise, a function here throws std::filesystem::filesystem_error, which names
// the operation, the path and the system's reason.

// By what a file is known again without reading it: the times in nanoseconds since the epoch.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;
  std::int64_t status_changed = 0;

  bool operator==(const FileStamp&) const = default;
};

[[nodiscard]] FileStamp stamp_of(const struct stat& status);

// Reads up to `buffer.size()` bytes; returns how many, 0 at the end. `path` only names the file in
// errors.
[[nodiscard]] std::size_t read_some(int fd, std::span<char> buffer,
                                    const std::filesystem::path& path);

// The rest of an open file, which must not exceed `limit` bytes (EFBIG otherwise). `path` only
// names it in errors.
[[nodiscard]] std::string read_open_file(int fd, const std::filesystem::path& path,
                                         std::size_t limit);

// The whole content of `path`, which must not exceed `limit` bytes (EFBIG otherwise). `flags` are
// added to O_RDONLY|O_CLOEXEC.
[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::size_t limit,
                                    int flags = 0);

// Whether `path`, with links followed, leads to the file that `file` has open. Throws nothing.
[[nodiscard]] bool leads_to(const std::filesystem::path& path, const FileDescriptor& file);

// Writes all of `content` to an open descriptor; `path` only names it in errors.
void write_all(int fd, std::string_view content, const std::filesystem::path& path);

// Appends `line` by one write(2) to a file opened with O_APPEND, so that the lines of concurrent
// processes do not mix. Makes the file (0600) if there is none.
void append_line(const std::filesystem::path& file, std::string_view line);

// Copies the content of `from` to `to`, which is replaced, or made with the permissions of `from`
// (less those of the umask) and writable for its owner. The two share their blocks if the file
// system can do that. Throws std::filesystem::filesystem_error.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to);

// Renames, and never replaces anything: returns false if `to` exists (a dangling link counts).
[[nodiscard]] bool rename_to_new(const std::filesystem::path& from,
                                 const std::filesystem::path& to);

// A file that is being made under a name of its own; removed with the object unless it was renamed.
// Its path and its target are relative to the open directory `directory` (openat(2)), if one is
// given, which must outlive the object.
class UnfinishedFile {
public:
  explicit UnfinishedFile(std::filesystem::path path, int directory = AT_FDCWD)
      : path_(std::move(path))
      , directory_(directory) {}

  UnfinishedFile(const UnfinishedFile&) = delete;
  UnfinishedFile& operator=(const UnfinishedFile&) = delete;
  UnfinishedFile(UnfinishedFile&&) = delete;
  UnfinishedFile& operator=(UnfinishedFile&&) = delete;
  ~UnfinishedFile();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  void rename_to(const std::filesystem::path& target);

  // As the function of that name.
  [[nodiscard]] bool rename_to_new(const std::filesystem::path& target);

private:
  std::filesystem::path path_;
  int directory_;
};

// A new file in directory `path`, as openat(2) takes the two, that has no name yet (O_TMPFILE): a
// process that dies leaves nothing. None if that fails, as on a file system that does not know such
// files; throws nothing.
[[nodiscard]] FileDescriptor open_unnamed_file(int directory, const std::filesystem::path& path,
                                               mode_t mode);

// Names that file, whole from its first moment on. Returns 0 or errno: EEXIST if `target` is
// taken; another one if it cannot be done in this way, such as without /proc. Throws nothing.
[[nodiscard]] int link_unnamed_file(const FileDescriptor& file, int directory,
                                    const std::filesystem::path& target);

// Replaces `target` by a file with `content` and `mode`: written to a temporary file in the same
// directory and renamed into place, so a reader sees the old file or the new one, never a part.
// Nothing is synced to disk. On failure the old file stands and the temporary one is removed.
// `target` is relative to the open directory `directory`, if one is given.
void write_file_atomically(const std::filesystem::path& target, std::string_view content,
                           mode_t mode = 0600, int directory = AT_FDCWD);

// Makes `target` with `content`; it appears at once and whole, with `mode` less the umask. Returns
// false, and changes nothing, if `target` exists (a dangling link counts). A process that is killed
// meanwhile leaves nothing if the file system knows O_TMPFILE.
[[nodiscard]] bool create_file_atomically(const std::filesystem::path& target,
                                          std::string_view content, mode_t mode = 0600);

} // namespace testmon_precreate::util
