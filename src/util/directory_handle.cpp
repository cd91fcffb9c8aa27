#include "testmon_precreate/util/directory_handle.hpp"
#include <testmon_precreate/util/directory.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

constexpr int of_a_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
// A pipe of that name must not block this process.
constexpr int for_reading = O_RDONLY | O_NONBLOCK;

} // namespace

DirectoryHandle::DirectoryHandle(fs::path path, FileDescriptor descriptor)
    : path_(std::move(path))
    , descriptor_(std::move(descriptor)) {}

std::optional<DirectoryHandle> DirectoryHandle::open_if_present(const fs::path& path) {
  FileDescriptor descriptor = util::try_open_file(AT_FDCWD, path, of_a_directory);
  if (descriptor) {
    return DirectoryHandle(path, std::move(descriptor));
  }
  if (is_absence(errno)) {
    return std::nullopt;
  }
  throw_errno("open", path, errno);
}

struct stat DirectoryHandle::status() const {
  struct stat result {};

  if (::fstat(get(), &result) != 0) {
    throw_error("stat", {}, errno);
  }
  return result;
}

FileDescriptor DirectoryHandle::try_open_file(const std::string& name, int flags,
                                              mode_t mode) const {
  return util::try_open_file(get(), name, flags | O_NOFOLLOW, mode);
}

FileDescriptor DirectoryHandle::open_file(const std::string& name, int flags, mode_t mode) const {
  FileDescriptor file = try_open_file(name, flags, mode);
  if (!file) {
    throw_error("open", name, errno);
  }
  return file;
}

std::string DirectoryHandle::read_file(const std::string& name, std::size_t limit) const {
  return read_whole(open_file(name, for_reading), name, limit, nullptr);
}

std::optional<std::string> DirectoryHandle::read_file_if_present(const std::string& name,
                                                                 std::size_t limit,
                                                                 FileStamp* stamp) const {
  const FileDescriptor file = try_open_file(name, for_reading, 0);
  if (file) {
    return read_whole(file, name, limit, stamp);
  }
  if (is_absence(errno)) {
    return std::nullopt;
  }
  throw_error("open", name, errno);
}

std::string DirectoryHandle::read_whole(const FileDescriptor& file, const std::string& name,
                                        std::size_t limit, FileStamp* stamp) const {
  struct stat found {};

  if (::fstat(file.get(), &found) != 0) {
    throw_error("stat", name, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    throw_error("read", name, EINVAL);
  }
  if (static_cast<std::uintmax_t>(found.st_size) > limit) {
    throw_error("read", name, EFBIG);
  }
  if (stamp != nullptr) {
    *stamp = stamp_of(found);
  }
  return read_open_file(file.get(), path_ / name, limit);
}

// Returns false if the file could not be named so; nothing is left then.
bool DirectoryHandle::write_new_file(const std::string& name, std::string_view content,
                                     mode_t mode) const {
  const FileDescriptor file = open_unnamed_file(get(), ".", mode);
  if (!file) {
    return false;
  }
  write_all(file.get(), content, path_ / name);

  struct stat made {};

  // A look costs the file system less than a change; only a strange umask asks for one.
  const bool is_as_wanted = ::fstat(file.get(), &made) == 0 && (made.st_mode & 07777U) == mode;
  if (!is_as_wanted && ::fchmod(file.get(), mode) != 0) {
    throw_error("chmod", name, errno);
  }
  return link_unnamed_file(file, get(), name) == 0;
}

void DirectoryHandle::link_file_atomically(const std::string& name, std::string_view content,
                                           mode_t mode) const {
  if (!write_new_file(name, content, mode)) {
    write_file_atomically(name, content, mode);
  }
}

void DirectoryHandle::write_file_atomically(const std::string& name, std::string_view content,
                                            mode_t mode) const {
  try {
    util::write_file_atomically(name, content, mode, get());
  } catch (const fs::filesystem_error& error) {
    throw_error("write", name, error.code().value());
  }
}

bool DirectoryHandle::remove_regular_file(const std::string& name) const {
  struct stat found {};

  if (::fstatat(get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) {
      return false;
    }
    throw_error("stat", name, errno);
  }
  if (!S_ISREG(found.st_mode)) {
    return false;
  }
  if (::unlinkat(get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) {
      return false;
    }
    throw_error("remove", name, errno);
  }
  return true;
}

std::vector<std::string> DirectoryHandle::names() const {
  // A descriptor of its own: a listing moves the descriptor's offset.
  const FileDescriptor listed = open_file(".", O_RDONLY | O_DIRECTORY);
  DirectoryReader reader;
  std::vector<std::string> found;
  for (const DirectoryEntry& entry : reader.read(listed, path_)) {
    found.emplace_back(entry.name);
  }
  return found;
}

void DirectoryHandle::throw_error(const char* operation, const std::string& name, int error) const {
  throw_errno(operation, name.empty() ? path_ : path_ / name, error);
}

} // namespace testmon_precreate::util
