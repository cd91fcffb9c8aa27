#include "merge_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

std::string describe(const SQLite::Exception& error) {
  constexpr int primary = 0xff; // the rest of an extended code tells the operation
  switch (error.getErrorCode() & primary) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return fmt::format("is damaged: {}", error.what());
  case SQLITE_ERROR: // `no such table` and its like
    return fmt::format("is not a data file of testmon: {}", error.what());
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return "is locked by another process";
  default:
    return fmt::format("cannot be read: {}", error.what());
  }
}

MergeSource::MergeSource(SQLite::Database& database, fs::path file)
    : file_(std::move(file))
    , links_(database, "SELECT test_execution_id, fingerprint_id FROM test_execution_file_fp"
                       " WHERE test_execution_id >= ?"
                       " ORDER BY test_execution_id, fingerprint_id")
    , fingerprints_(database,
                    "SELECT filename, method_checksums, mtime, fsha FROM file_fp WHERE id = ?") {}

const std::vector<std::int64_t>& MergeSource::fingerprints_of(std::int64_t test) {
  return reading(file_, [&]() -> const std::vector<std::int64_t>& {
    ids_.clear();
    // It often stands there already: tests that were recorded one after the other have names and
    // ids in one order.
    if (!has_link_ || links_.integer(0) != test) {
      links_.reset();
      links_.bind(1, test);
      has_link_ = links_.step();
    }
    while (has_link_ && links_.integer(0) == test) {
      const std::int64_t id = links_.integer(1);
      if (ids_.empty() || ids_.back() != id) {
        ids_.push_back(id);
      }
      has_link_ = links_.step();
    }
    return ids_;
  });
}

const RawStatement& MergeSource::fingerprint(std::int64_t id) {
  const RawStatement* const found = find_fingerprint(id);
  return reading(file_, [&]() -> const RawStatement& {
    if (found == nullptr) {
      throw SQLite::Exception(
          fmt::format("a test refers to fingerprint {}, which is not there", id), SQLITE_CORRUPT);
    }
    return *found;
  });
}

const RawStatement* MergeSource::find_fingerprint(std::int64_t id) {
  return reading(file_, [&] {
    fingerprints_.reset();
    fingerprints_.bind(1, id);
    return fingerprints_.step() ? &fingerprints_ : nullptr;
  });
}

// A name that is no text is none of testmon's; every text is less than an empty BLOB.
TestStream::TestStream(SQLite::Database& database, fs::path file, std::int64_t environment)
    : file_(std::move(file))
    , rows_(database, "SELECT test_name, id, duration, failed, forced FROM test_execution"
                      " WHERE environment_id = ? AND test_name < x'' ORDER BY test_name, id") {
  rows_.bind(1, environment);
  advance();
}

void TestStream::advance() {
  reading(file_, [this] {
    previous_ = name_;
    at_end_ = !rows_.step();
    name_ = at_end_ ? std::string_view() : rows_.text(0);
    if (!at_end_ && name_ < previous_) {
      throw SQLite::Exception("the index of tests is out of order", SQLITE_CORRUPT);
    }
  });
}

Execution TestStream::execution() const {
  Execution execution;
  execution.id = rows_.integer(1);
  if (!rows_.is_null(2)) {
    execution.duration = rows_.real(2);
  }
  execution.failed = rows_.integer(3) != 0;
  if (!rows_.is_null(4)) {
    execution.forced = rows_.integer(4);
  }
  return execution;
}

} // namespace testmon_precreate::datafile
