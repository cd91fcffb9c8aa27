#include <testmon_precreate/util/file_descriptor.hpp>
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void throw_errno(const char* operation, const fs::path& path, int error) {
  throw fs::filesystem_error(operation, path, std::error_code(error, std::generic_category()));
}

// Unique among the processes that share the directory, also across hosts that reuse a pid: O_EXCL
// settles what is left.
fs::path temporary_name(const fs::path& target, int attempt) {
  return target.parent_path() /
         fmt::format(".{}.{}.{}.tmp", target.filename().string(), ::getpid(), attempt);
}

// Removes a temporary file unless it was renamed away.
class TemporaryFile {
public:
  explicit TemporaryFile(fs::path path)
      : path_(std::move(path)) {}

  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  TemporaryFile(TemporaryFile&&) = delete;
  TemporaryFile& operator=(TemporaryFile&&) = delete;

  ~TemporaryFile() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }

  void rename_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      throw_errno("rename", target, errno);
    }
    path_.clear();
  }

private:
  fs::path path_;
};

} // namespace

std::string read_file(const fs::path& path, std::size_t limit, int flags) {
  const FileDescriptor file = open_file(path, O_RDONLY | flags);
  std::string content;
  std::array<char, 64 * 1024> buffer; // NOLINT(*-member-init): filled by read
  while (true) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw_errno("read", path, errno);
    }
    if (count == 0) {
      return content;
    }
    if (content.size() + static_cast<std::size_t>(count) > limit) {
      throw_errno("read", path, EFBIG);
    }
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      throw_errno("write", path, errno);
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_file_atomically(const fs::path& target, std::string_view content, mode_t mode) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  for (int attempt = 0;; ++attempt) {
    const fs::path name = temporary_name(target, attempt);
    FileDescriptor file;
    try {
      file = open_file(name, flags, mode);
    } catch (const fs::filesystem_error& error) {
      constexpr int most_attempts = 100;
      if (error.code() == std::errc::file_exists && attempt < most_attempts) {
        continue;
      }
      throw;
    }
    TemporaryFile temporary(name);
    write_all(file.get(), content, name);
    if (::fchmod(file.get(), mode) != 0) {
      throw_errno("chmod", name, errno);
    }
    temporary.rename_to(target);
    return;
  }
}

} // namespace testmon_precreate::util
