#pragma once

#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>
#include <sys/types.h>

namespace testmon_precreate::util {

// An open directory whose files are reached by their bare names (openat(2)): even if the path
// changes meanwhile, no operation ends up in another directory, and none follows a symbolic link.
// Every member throws std::filesystem::filesystem_error, which names the operation, the file's
// whole path and the system's reason.
class DirectoryHandle {
public:
  // Opens `path`; one that is a symbolic link is refused (ENOTDIR or ELOOP). Nothing if there is no
  // such directory. That saves the price of an exception, above a millisecond for the first one of
  // a static executable.
  [[nodiscard]] static std::optional<DirectoryHandle>
  open_if_present(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  [[nodiscard]] int get() const noexcept { return descriptor_.get(); }

  [[nodiscard]] struct stat status() const;

  // Opens the file `name`; O_NOFOLLOW and O_CLOEXEC are always added.
  [[nodiscard]] FileDescriptor open_file(const std::string& name, int flags,
                                         mode_t mode = 0600) const;

  // The whole content of the regular file `name`. One larger than `limit` bytes is not read at all
  // (EFBIG), nor is a pipe or a device (EINVAL).
  [[nodiscard]] std::string read_file(const std::string& name, std::size_t limit) const;

  // As read_file; nothing if there is no such file. `stamp`, if given, receives the file's own.
  [[nodiscard]] std::optional<std::string> read_file_if_present(const std::string& name,
                                                                std::size_t limit,
                                                                FileStamp* stamp = nullptr) const;

  // As util::write_file_atomically; the temporary file is called `.NAME.PID.N.tmp`.
  void write_file_atomically(const std::string& name, std::string_view content,
                             mode_t mode = 0600) const;

  // The same for a name that is seldom taken: a file without a name is written and then linked,
  // which is half the work in the directory. If that is impossible, as write_file_atomically.
  void link_file_atomically(const std::string& name, std::string_view content,
                            mode_t mode = 0600) const;

  // Removes the regular file `name`. False if there is none, or if `name` is anything else.
  [[nodiscard]] bool remove_regular_file(const std::string& name) const;

  // The names of all entries but `.` and `..`, in no order.
  [[nodiscard]] std::vector<std::string> names() const;

private:
  DirectoryHandle(std::filesystem::path path, FileDescriptor descriptor);

  [[nodiscard]] FileDescriptor try_open_file(const std::string& name, int flags, mode_t mode) const;
  [[nodiscard]] std::string read_whole(const FileDescriptor& file, const std::string& name,
                                       std::size_t limit, FileStamp* stamp) const;
  [[nodiscard]] bool write_new_file(const std::string& name, std::string_view content,
                                    mode_t mode) const;
  [[noreturn]] void throw_error(const char* operation, const std::string& name, int error) const;

  std::filesystem::path path_;
  FileDescriptor descriptor_;
};

} // namespace testmon_precreate::util
