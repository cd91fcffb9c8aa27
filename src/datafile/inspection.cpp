#include "testmon_precreate/datafile/inspection.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t header_size = 100;
using Header = std::array<unsigned char, header_size>;

std::uint32_t big_endian_32(const Header& header, std::size_t offset) {
  return (std::uint32_t{header.at(offset)} << 24U) | (std::uint32_t{header.at(offset + 1)} << 16U) |
         (std::uint32_t{header.at(offset + 2)} << 8U) | std::uint32_t{header.at(offset + 3)};
}

std::uint32_t page_size_of(const Header& header) {
  const std::uint32_t stored = (std::uint32_t{header[16]} << 8U) | std::uint32_t{header[17]};
  constexpr std::uint32_t largest = 65536; // does not fit and is stored as 1
  return stored == 1 ? largest : stored;
}

std::uint64_t size_by_header(const Header& header) {
  // Writers older than SQLite 3.7 leave a page count that does not count.
  const bool count_is_valid = big_endian_32(header, 24) == big_endian_32(header, 92);
  return count_is_valid ? std::uint64_t{big_endian_32(header, 28)} * page_size_of(header) : 0;
}

bool has_content(const fs::path& path) {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
}

// Reads as much of the header as there is.
std::size_t read_header(const util::FileDescriptor& file, Header& header, const fs::path& path) {
  const ssize_t count =
      util::uninterrupted([&] { return ::pread(file.get(), header.data(), header.size(), 0); });
  if (count < 0) {
    util::throw_errno("read", path, errno);
  }
  return static_cast<std::size_t>(count);
}

util::FileDescriptor open_if_present(const fs::path& file) {
  util::FileDescriptor opened = util::try_open_file(AT_FDCWD, file, O_RDONLY);
  if (!opened && errno != ENOENT) {
    util::throw_errno("open", file, errno);
  }
  return opened;
}

// Every process that has the index open holds a shared lock on this byte of it
// (UNIX_SHM_DMS in SQLite's os_unix.c).
bool is_index_in_use(const fs::path& file) {
  const util::FileDescriptor index = open_if_present(shm_path(file));
  if (!index) {
    return false;
  }

  struct flock lock {};

  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = 128;
  lock.l_len = 1;
  return ::fcntl(index.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

} // namespace

fs::path resolve_links(const fs::path& file) {
  constexpr int most_links = 40; // as the kernel counts (path_resolution(7))
  fs::path path = fs::absolute(file).lexically_normal();
  for (int links = 0; fs::is_symlink(fs::symlink_status(path)); ++links) {
    if (links == most_links) {
      util::throw_errno("follow links", file, ELOOP);
    }
    // Not normalised: `..` after a linked directory means that directory's parent.
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

Inspection inspect(const fs::path& file) {
  Inspection seen;
  seen.wal_present = has_content(wal_path(file));
  seen.index_in_use = seen.wal_present && is_index_in_use(file);
  const util::FileDescriptor descriptor = open_if_present(file);
  if (!descriptor) {
    return seen;
  }

  struct stat status {};

  if (::fstat(descriptor.get(), &status) != 0) {
    util::throw_errno("stat", file, errno);
  }
  seen.stamp = util::stamp_of(status);
  Header header{};
  const std::size_t count = read_header(descriptor, header, file);
  constexpr std::string_view magic("SQLite format 3\0", 16);
  if (count == 0) {
    seen.kind = FileKind::empty;
  } else if (count < header_size || !std::equal(magic.begin(), magic.end(), header.begin())) {
    seen.kind = FileKind::other;
  } else {
    seen.kind = FileKind::database;
    seen.wal_mode = header[18] == 2 && header[19] == 2;
    seen.truncated = !seen.wal_present && seen.stamp.size < size_by_header(header);
    seen.data_version = static_cast<int>(big_endian_32(header, 60));
  }
  return seen;
}

fs::path wal_path(const fs::path& file) { return fs::path(file) += "-wal"; }

fs::path shm_path(const fs::path& file) { return fs::path(file) += "-shm"; }

} // namespace testmon_precreate::datafile
