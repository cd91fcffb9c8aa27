#pragma once

#include "merge_choice.hpp"
#include "raw_statement.hpp"

#include <testmon_precreate/datafile/environments.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::datafile {

// A file that cannot be merged; what() says why, without naming it.
class BadInput : public std::runtime_error {
public:
  BadInput(std::filesystem::path file, const std::string& reason)
      : std::runtime_error(reason)
      , file_(std::move(file)) {}

  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

private:
  std::filesystem::path file_;
};

// What SQLite's error means for the file that was read.
[[nodiscard]] std::string describe(const SQLite::Exception& error);

// Does `work` and returns its result; SQLite's errors leave as BadInput of `file`, or as they are
// if that is empty.
template <typename Work>
decltype(auto) reading(const std::filesystem::path& file, Work work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    if (file.empty()) {
      throw;
    }
    throw BadInput(file, describe(error));
  }
}

// Links and fingerprints of one of the files that are merged: an input, the base, or the target.
// Errors leave as `reading` says.
class MergeSource {
public:
  // `database` must outlive the source.
  MergeSource(SQLite::Database& database, std::filesystem::path file);

  // The fingerprints of a test, by id, each once. Valid until the next call.
  [[nodiscard]] const std::vector<std::int64_t>& fingerprints_of(std::int64_t test);

  // A row of file_fp: filename, method_checksums, mtime, fsha. Valid until the next call.
  [[nodiscard]] const RawStatement& fingerprint(std::int64_t id);

  // The same; null if there is none of this id.
  [[nodiscard]] const RawStatement* find_fingerprint(std::int64_t id);

private:
  std::filesystem::path file_;
  RawStatement links_; // from one test on
  bool has_link_ = false;
  RawStatement fingerprints_;
  std::vector<std::int64_t> ids_;
};

// The tests of one environment of one file, by name. Errors leave as `reading` says.
class TestStream {
public:
  // Stands at the first test. `database` must outlive the stream.
  TestStream(SQLite::Database& database, std::filesystem::path file, std::int64_t environment);

  [[nodiscard]] bool at_end() const noexcept { return at_end_; }

  // Valid until the next call of advance.
  [[nodiscard]] std::string_view name() const noexcept { return name_; }

  [[nodiscard]] Execution execution() const;

  void advance();

private:
  std::filesystem::path file_;
  RawStatement rows_;
  std::string_view name_;
  std::string previous_;
  bool at_end_ = false;
};

} // namespace testmon_precreate::datafile
