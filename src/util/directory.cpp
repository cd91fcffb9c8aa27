#include "testmon_precreate/util/directory.hpp"
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace testmon_precreate::util {

namespace fs = std::filesystem;

namespace {

// The head of a record of getdents64(2); the name follows it, up to a NUL.
struct RecordHead {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
};

constexpr std::size_t name_offset = offsetof(RecordHead, type) + 1;

EntryType entry_type(unsigned char type) {
  switch (type) {
  case DT_REG:
    return EntryType::file;
  case DT_DIR:
    return EntryType::directory;
  case DT_LNK:
    return EntryType::link;
  case DT_UNKNOWN:
    return EntryType::unknown;
  default:
    return EntryType::other;
  }
}

} // namespace

DirectoryReader::DirectoryReader()
    : buffer_(std::size_t{128} * 1024) {}

const std::vector<DirectoryEntry>& DirectoryReader::read(const FileDescriptor& directory,
                                                         const fs::path& path) {
  constexpr std::size_t least_room = 4096;
  std::size_t used = 0;
  while (true) {
    if (buffer_.size() - used < least_room) {
      buffer_.resize(buffer_.size() * 2);
    }
    const long count =
        ::syscall(SYS_getdents64, directory.get(), buffer_.data() + used, buffer_.size() - used);
    if (count < 0) {
      throw_errno("read directory", path, errno);
    }
    if (count == 0) {
      break;
    }
    used += static_cast<std::size_t>(count);
  }
  entries_.clear();
  for (std::size_t position = 0; position < used;) {
    RecordHead head; // NOLINT(*-member-init): filled below
    std::memcpy(&head, buffer_.data() + position, sizeof(head));
    const std::string_view name(buffer_.data() + position + name_offset);
    if (name != "." && name != "..") {
      entries_.push_back({name, entry_type(head.type)});
    }
    position += head.length;
  }
  return entries_;
}

} // namespace testmon_precreate::util
