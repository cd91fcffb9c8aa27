#pragma once

#include <filesystem>
#include <utility>

#include <sys/types.h>

namespace testmon_precreate::util {

// Owns one open file descriptor and closes it.
class FileDescriptor {
public:
  FileDescriptor() noexcept = default;

  // Takes ownership of `fd`; -1 stands for "none".
  explicit FileDescriptor(int fd) noexcept
      : fd_(fd) {}

  FileDescriptor(FileDescriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}

  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  ~FileDescriptor() { close(); }

  [[nodiscard]] int get() const noexcept { return fd_; }

  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }

  // Closes now; harmless when nothing is open.
  void close() noexcept;

private:
  int fd_ = -1;
};

// Opens `path` as openat(2) takes it and `directory`; O_CLOEXEC is always added, an interrupted
// call is repeated. None, and errno, if it fails; throws nothing.
[[nodiscard]] FileDescriptor try_open_file(int directory, const std::filesystem::path& path,
                                           int flags, mode_t mode = 0600) noexcept;

// Opens `path` with `flags` (open(2)); O_CLOEXEC is always added, an interrupted call is repeated.
// Throws std::filesystem::filesystem_error with the path and the system's reason.
[[nodiscard]] FileDescriptor open_file(const std::filesystem::path& path, int flags,
                                       mode_t mode = 0600);

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

// Both ends have O_CLOEXEC. Throws std::system_error.
[[nodiscard]] Pipe make_pipe();

} // namespace testmon_precreate::util
