#pragma once

#include <testmon_precreate/util/files.hpp>

#include <filesystem>

namespace testmon_precreate::datafile {

enum class FileKind {
  absent,
  empty,    // zero bytes: a process has just opened it, or was stopped there
  database, // the header of an SQLite database
  other     // anything else
};

// What can be seen of a data file without SQLite.
struct Inspection {
  FileKind kind = FileKind::absent;
  bool wal_mode = false;     // by the header
  bool wal_present = false;  // a write-ahead log that is not empty lies beside the file
  bool index_in_use = false; // a process has the log's index (`-shm`) open; only with a log
  bool truncated = false;    // the file is shorter than its header says; never with a log present
  int data_version = 0;      // as in the file itself: a log may hold a newer one
  util::FileStamp stamp;     // for comparison

  bool operator==(const Inspection&) const = default;
};

// `file` with every symbolic link followed, absolute; it need not exist. SQLite names the log after
// this path. Throws std::filesystem::filesystem_error (ELOOP too).
[[nodiscard]] std::filesystem::path resolve_links(const std::filesystem::path& file);

// Reads the first hundred bytes (https://sqlite.org/fileformat.html, section 1.3). Must not be
// called while this process has the file open with SQLite: closing the descriptor would drop
// SQLite's POSIX locks. Throws std::filesystem::filesystem_error.
[[nodiscard]] Inspection inspect(const std::filesystem::path& file);

[[nodiscard]] std::filesystem::path wal_path(const std::filesystem::path& file);
[[nodiscard]] std::filesystem::path shm_path(const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
