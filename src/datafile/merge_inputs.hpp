#pragma once

#include "merge_source.hpp"

#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/merge.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::datafile {

// Throws BadInput if `problem` is not empty.
void require(const std::string& problem, const std::filesystem::path& file);

// Why a path can be no input; empty: it can.
[[nodiscard]] std::string problem_of_path(const std::filesystem::path& file,
                                          const std::filesystem::path& target);

// An input or the base: open, and as it was at one moment. Throws BadInput.
class OpenFile {
public:
  OpenFile(const std::filesystem::path& name, util::Seconds busy_timeout);

  // As it was given, for people.
  [[nodiscard]] const std::filesystem::path& name() const { return name_; }

  // With links followed.
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  [[nodiscard]] const Inspection& seen() const { return seen_; }

  [[nodiscard]] SQLite::Database& database() { return database_; }

  [[nodiscard]] MergeSource& source() { return source_; }

  [[nodiscard]] int data_version() const { return data_version_; }

  // Makes `copy`, or makes it the same as the file.
  void copy_to(const std::filesystem::path& copy);

  // How much of the file is kept in memory at most.
  void limit_memory(std::size_t kibibytes);

private:
  // Makes the connection ready, before any statement is prepared.
  SQLite::Database& begin();

  std::filesystem::path name_;
  std::filesystem::path file_;
  Inspection seen_;
  SQLite::Database database_;
  int data_version_ = 0;
  MergeSource source_;
};

using OpenFiles = std::vector<std::unique_ptr<OpenFile>>;

// Looks at every page of testmon's tables and indexes, and whether each index has as many entries
// as its table has rows, on a thread and connections of its own. A quarter of what PRAGMA
// quick_check costs, which also decodes every row. Throws BadInput from get().
[[nodiscard]] std::future<void> check_in_background(const OpenFiles& files,
                                                    util::Seconds busy_timeout);

// Closes the files. Throws BadInput for one that was read without locks and has changed since.
void close_unchanged(OpenFiles& files);

// MergeRequest::disk.
using Disk = std::function<OnDisk(const std::string& file, std::string_view fsha)>;

// Whether any of the first hundred files that the tests depend on is on the disk; nothing: they
// depend on none.
[[nodiscard]] std::optional<bool> is_on_disk(OpenFile& file, const Disk& disk);

} // namespace testmon_precreate::datafile
