#include "testmon_precreate/util/file_descriptor.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace testmon_precreate::util {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void FileDescriptor::close() noexcept {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

FileDescriptor try_open_file(int directory, const std::filesystem::path& path, int flags,
                             mode_t mode) noexcept {
  return FileDescriptor(
      uninterrupted([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); }));
}

FileDescriptor open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  FileDescriptor file = try_open_file(AT_FDCWD, path, flags, mode);
  if (!file) {
    throw_errno("open", path, errno);
  }
  return file;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw_errno("pipe", errno);
  }
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

} // namespace testmon_precreate::util
