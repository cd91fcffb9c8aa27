#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace testmon_precreate::datafile {

// One line of /proc/locks (proc(5)) as far as it is needed here.
struct FileLock {
  pid_t pid = 0;
  bool exclusive = false;
  ino_t inode = 0;
  long long first_byte = 0;
};

// Lines that cannot be parsed are left out.
[[nodiscard]] std::vector<FileLock> parse_locks(std::string_view text);

// The other processes that keep this one from writing to `file` or checkpointing its log, for
// people: `process 4242 (python -m pytest, started 12 s ago)`. Empty if the system does not
// tell. SQLite locks the file itself or, in WAL mode, bytes 120 to 127 of the shared-memory file
// (https://sqlite.org/walformat.html, section 2.3).
[[nodiscard]] std::string describe_lock_holders(const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
