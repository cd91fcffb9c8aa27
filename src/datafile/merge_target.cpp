#include "merge_target.hpp"

#include <algorithm>
#include <string>

namespace testmon_precreate::datafile {

namespace {

constexpr std::size_t cache_size = std::size_t{1} << 17U;
constexpr std::size_t links_at_once = 16;

std::string insert_statement(std::size_t rows) {
  std::string sql = "INSERT INTO test_execution_file_fp VALUES (?, ?)";
  for (std::size_t i = 1; i < rows; ++i) {
    sql += ", (?, ?)";
  }
  return sql;
}

std::size_t slot_of(std::int64_t id, std::size_t source) {
  // Neighbours stay neighbours; the files lie apart.
  constexpr std::size_t distance = 0x9E3779B97F4A7C15U; // Fibonacci hashing
  return (static_cast<std::size_t>(id) + source * distance) % cache_size;
}

void bind_outcome(RawStatement& statement, int first, const Execution& execution) {
  statement.bind(first, execution.duration);
  statement.bind(first + 1, std::int64_t{execution.failed ? 1 : 0});
  statement.bind(first + 2, execution.forced);
}

// The three columns that make a fingerprint what it is.
constexpr int filename = 0;
constexpr int checksums = 1;
constexpr int fsha = 3;

void bind_fingerprint(RawStatement& statement, const RawStatement& row) {
  statement.bind_column(1, row, filename);
  statement.bind_column(2, row, fsha);
  statement.bind_column(3, row, checksums);
}

} // namespace

MergeTarget::MergeTarget(SQLite::Database& database)
    : database_(database)
    , own_(database, {})
    , insert_test_(database, "INSERT INTO test_execution (environment_id, test_name, duration,"
                             " failed, forced) VALUES (?, ?, ?, ?, ?)")
    , update_test_(database,
                   "UPDATE test_execution SET duration = ?, failed = ?, forced = ? WHERE id = ?")
    , delete_test_(database, "DELETE FROM test_execution WHERE id = ?")
    , delete_links_(database, "DELETE FROM test_execution_file_fp WHERE test_execution_id = ?")
    , delete_link_(database, "DELETE FROM test_execution_file_fp"
                             " WHERE test_execution_id = ? AND fingerprint_id = ?")
    , insert_link_(database, insert_statement(1))
    , insert_links_(database, insert_statement(links_at_once))
    , find_fingerprint_(database, "SELECT id FROM file_fp WHERE filename IS ? AND fsha IS ?"
                                  " AND method_checksums IS ?")
    , insert_fingerprint_(database, "INSERT INTO file_fp (filename, fsha, method_checksums, mtime)"
                                    " VALUES (?, ?, ?, ?)")
    , mapped_(cache_size) {
  links_.reserve(links_at_once);
}

void MergeTarget::insert(std::int64_t environment, std::string_view name,
                         const Execution& execution, MergeSource& source, std::size_t number) {
  insert_test_.bind(1, environment);
  insert_test_.bind(2, name);
  bind_outcome(insert_test_, 3, execution);
  insert_test_.run();
  const std::int64_t test = database_.getLastInsertRowid();
  for (const std::int64_t fingerprint : map_fingerprints(execution.id, source, number)) {
    add_link(test, fingerprint);
  }
}

void MergeTarget::replace(const Execution& old, const Execution& execution, MergeSource& source,
                          std::size_t number) {
  bind_outcome(update_test_, 1, execution);
  update_test_.bind(4, old.id);
  update_test_.run();
  if (is_same_execution(old, execution)) {
    return;
  }
  // Most of what a test depends on is the same as before.
  const std::vector<std::int64_t>& wanted = map_fingerprints(execution.id, source, number);
  const std::vector<std::int64_t>& have = own_.fingerprints_of(old.id);
  for (const std::int64_t fingerprint : have) {
    if (!std::binary_search(wanted.begin(), wanted.end(), fingerprint)) {
      delete_link_.bind(1, old.id);
      delete_link_.bind(2, fingerprint);
      delete_link_.run();
    }
  }
  for (const std::int64_t fingerprint : wanted) {
    if (!std::binary_search(have.begin(), have.end(), fingerprint)) {
      add_link(old.id, fingerprint);
    }
  }
}

void MergeTarget::remove(std::int64_t test) {
  delete_links_.bind(1, test);
  delete_links_.run();
  delete_test_.bind(1, test);
  delete_test_.run();
}

const std::vector<std::int64_t>&
MergeTarget::map_fingerprints(std::int64_t test, MergeSource& source, std::size_t number) {
  ids_.clear();
  for (const std::int64_t id : source.fingerprints_of(test)) {
    ids_.push_back(map_fingerprint(id, source, number));
  }
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  return ids_;
}

std::int64_t MergeTarget::map_fingerprint(std::int64_t id, MergeSource& source,
                                          std::size_t number) {
  Mapped& mapped = mapped_[slot_of(id, number)];
  if (mapped.source != number + 1 || mapped.id != id) {
    mapped.own = find_or_insert(source.fingerprint(id), id);
    mapped.source = number + 1;
    mapped.id = id;
  }
  return mapped.own;
}

std::int64_t MergeTarget::find_or_insert(const RawStatement& fingerprint, std::int64_t id) {
  // Files that started from the same one have the same ids for what they have in common, and a look
  // there is cheaper than one at the index of all texts.
  const RawStatement* const same_id = own_.find_fingerprint(id);
  if (same_id != nullptr && same_id->has_same(filename, fingerprint) &&
      same_id->has_same(fsha, fingerprint) && same_id->has_same(checksums, fingerprint)) {
    return id;
  }
  bind_fingerprint(find_fingerprint_, fingerprint);
  const bool found = find_fingerprint_.step();
  const std::int64_t own = found ? find_fingerprint_.integer(0) : 0;
  find_fingerprint_.reset();
  if (found) {
    return own;
  }
  bind_fingerprint(insert_fingerprint_, fingerprint);
  constexpr int mtime = 2;
  insert_fingerprint_.bind_column(4, fingerprint, mtime);
  insert_fingerprint_.run();
  return database_.getLastInsertRowid();
}

void MergeTarget::add_link(std::int64_t test, std::int64_t fingerprint) {
  links_.emplace_back(test, fingerprint);
  if (links_.size() == links_at_once) {
    int index = 0;
    for (const auto& [of_test, to_fingerprint] : links_) {
      insert_links_.bind(++index, of_test);
      insert_links_.bind(++index, to_fingerprint);
    }
    insert_links_.run();
    links_.clear();
  }
}

void MergeTarget::finish() {
  for (const auto& [test, fingerprint] : links_) {
    insert_link_.bind(1, test);
    insert_link_.bind(2, fingerprint);
    insert_link_.run();
  }
  links_.clear();
}

} // namespace testmon_precreate::datafile
