#include "testmon_precreate/util/files.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::chrono::nanoseconds(std::chrono::seconds(time.tv_sec)).count() + time.tv_nsec;
}

// Unique among the processes that share the directory, also across hosts that reuse a pid: O_EXCL
// settles what is left.
fs::path temporary_name(const fs::path& target, int attempt) {
  return target.parent_path() /
         fmt::format(".{}.{}.{}.tmp", target.filename().string(), ::getpid(), attempt);
}

struct NamedFile {
  fs::path path;
  FileDescriptor file;
};

// A new file beside `target`, which is relative to `directory`.
NamedFile open_temporary(const fs::path& target, mode_t mode, int directory) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  constexpr int most_attempts = 100;
  for (int attempt = 0;; ++attempt) {
    fs::path name = temporary_name(target, attempt);
    if (FileDescriptor file = try_open_file(directory, name, flags, mode)) {
      return {std::move(name), std::move(file)};
    }
    if (errno != EEXIST || attempt == most_attempts) {
      throw_errno("open", name, errno);
    }
  }
}

} // namespace

FileStamp stamp_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = nanoseconds(status.st_mtim),
          .status_changed = nanoseconds(status.st_ctim)};
}

bool rename_to_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  // A file system that does not know the flag says EINVAL; a link never replaces anything either.
  if (errno == EINVAL && ::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return true;
  }
  if (errno == EEXIST) {
    return false;
  }
  throw_errno("rename", to, errno);
}

UnfinishedFile::~UnfinishedFile() {
  if (!path_.empty()) {
    ::unlinkat(directory_, path_.c_str(), 0);
  }
}

void UnfinishedFile::rename_to(const fs::path& target) {
  if (::renameat(directory_, path_.c_str(), directory_, target.c_str()) != 0) {
    throw_errno("rename", target, errno);
  }
  path_.clear();
}

bool UnfinishedFile::rename_to_new(const fs::path& target) {
  const bool renamed = util::rename_to_new(path_, target);
  if (renamed) {
    path_.clear();
  }
  return renamed;
}

std::size_t read_some(int fd, std::span<char> buffer, const fs::path& path) {
  const ssize_t count = uninterrupted([&] { return ::read(fd, buffer.data(), buffer.size()); });
  if (count < 0) {
    throw_errno("read", path, errno);
  }
  return static_cast<std::size_t>(count);
}

std::string read_open_file(int fd, const fs::path& path, std::size_t limit) {
  std::string content;
  constexpr std::size_t buffer_size = 65536;
  std::array<char, buffer_size> buffer; // NOLINT(*-member-init): filled by read
  while (const std::size_t count = read_some(fd, buffer, path)) {
    if (content.size() + count > limit) {
      throw_errno("read", path, EFBIG);
    }
    content.append(buffer.data(), count);
  }
  return content;
}

std::string read_file(const fs::path& path, std::size_t limit, int flags) {
  return read_open_file(open_file(path, O_RDONLY | flags).get(), path, limit);
}

bool leads_to(const fs::path& path, const FileDescriptor& file) {
  struct ::stat opened {};

  struct ::stat there {};

  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t count =
        uninterrupted([&] { return ::write(fd, content.data(), content.size()); });
    if (count < 0) {
      throw_errno("write", path, errno);
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

void append_line(const fs::path& file, std::string_view line) {
  const FileDescriptor descriptor = open_file(file, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY);
  write_all(descriptor.get(), line, file);
}

void copy_file(const fs::path& from, const fs::path& to) {
  const FileDescriptor source = open_file(from, O_RDONLY);

  struct ::stat status {};

  if (::fstat(source.get(), &status) != 0) {
    throw_errno("read", from, errno);
  }
  const mode_t mode = (status.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO)) | S_IWUSR;
  const FileDescriptor target = open_file(to, O_WRONLY | O_CREAT | O_TRUNC, mode);
  constexpr std::size_t most_at_once = std::size_t{1} << 30U;
  ssize_t count = 0;
  do {
    count = uninterrupted([&] {
      return ::copy_file_range(source.get(), nullptr, target.get(), nullptr, most_at_once, 0);
    });
  } while (count > 0);
  if (count == 0) {
    return;
  }
  // Between these file systems, or by this kernel, it cannot be done; a full disk shows below.
  std::string buffer(std::size_t{1} << 20U, '\0');
  while (const std::size_t part = read_some(source.get(), buffer, from)) {
    write_all(target.get(), std::string_view(buffer).substr(0, part), to);
  }
}

FileDescriptor open_unnamed_file(int directory, const fs::path& path, mode_t mode) {
  return FileDescriptor(::openat(directory, path.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode));
}

int link_unnamed_file(const FileDescriptor& file, int directory, const fs::path& target) {
  const std::string unnamed = fmt::format("/proc/self/fd/{}", file.get());
  return ::linkat(AT_FDCWD, unnamed.c_str(), directory, target.c_str(), AT_SYMLINK_FOLLOW) == 0
             ? 0
             : errno;
}

void write_file_atomically(const fs::path& target, std::string_view content, mode_t mode,
                           int directory) {
  const NamedFile named = open_temporary(target, mode, directory);
  UnfinishedFile temporary(named.path, directory);
  write_all(named.file.get(), content, named.path);
  if (::fchmod(named.file.get(), mode) != 0) {
    throw_errno("chmod", named.path, errno);
  }
  temporary.rename_to(target);
}

bool create_file_atomically(const fs::path& target, std::string_view content, mode_t mode) {
  const fs::path parent = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (const FileDescriptor unnamed = open_unnamed_file(AT_FDCWD, parent, mode)) {
    write_all(unnamed.get(), content, target);
    const int error = link_unnamed_file(unnamed, AT_FDCWD, target);
    if (error == 0 || error == EEXIST) {
      return error == 0;
    }
    // Without /proc, or if links are refused, the way below works or says what is wrong.
  }
  const NamedFile named = open_temporary(target, mode, AT_FDCWD);
  UnfinishedFile temporary(named.path);
  write_all(named.file.get(), content, named.path);
  return temporary.rename_to_new(target);
}

} // namespace testmon_precreate::util
