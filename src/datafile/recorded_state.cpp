#include "testmon_precreate/datafile/recorded_state.hpp"
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>
#include <utility>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

std::string text_of(const SQLite::Column& column) {
  return column.isNull() ? std::string() : column.getString();
}

void read_tests(SQLite::Database& database, RecordedState& state) {
  // By id from the table itself: testmon's index would give them by name.
  SQLite::Statement statement(database, "SELECT id, test_name, duration, failed FROM test_execution"
                                        " NOT INDEXED WHERE environment_id = ? ORDER BY id");
  statement.bind(1, state.environment.id);
  while (statement.executeStep()) {
    RecordedTest test{.id = statement.getColumn(0).getInt64(),
                      .name = text_of(statement.getColumn(1)),
                      .duration = std::nullopt,
                      .failed = statement.getColumn(3).getInt() != 0};
    if (const SQLite::Column duration = statement.getColumn(2); !duration.isNull()) {
      test.duration = util::Seconds(duration.getDouble());
    }
    state.tests.push_back(std::move(test));
  }
}

void read_fingerprints(SQLite::Database& database, RecordedState& state) {
  // The index that keeps them unique holds all of it in this order.
  SQLite::Statement statement(database, "SELECT id, filename, fsha FROM file_fp ORDER BY filename");
  while (statement.executeStep()) {
    state.fingerprints.push_back({.id = statement.getColumn(0).getInt64(),
                                  .filename = text_of(statement.getColumn(1)),
                                  .fsha = text_of(statement.getColumn(2))});
  }
}

// testmon packs them as native int32 (array.array("i")).
std::vector<std::int32_t> unpack(const SQLite::Column& blob) {
  std::vector<std::int32_t> checksums(static_cast<std::size_t>(blob.getBytes()) /
                                      sizeof(std::int32_t));
  if (!checksums.empty()) {
    std::memcpy(checksums.data(), blob.getBlob(), checksums.size() * sizeof(std::int32_t));
  }
  return checksums;
}

// A statement that gets the ids of the wanted fingerprints as its first parameter.
SQLite::Statement about_fingerprints(SQLite::Database& database, const std::string& sql,
                                     const std::vector<std::int64_t>& ids) {
  SQLite::Statement statement(database, sql);
  statement.bind(1, fmt::format("[{}]", fmt::join(ids, ",")));
  return statement;
}

// testmon's index on the table begins with the test: it is read as a whole, whatever is wanted.
void read_wanted(SQLite::Database& database, RecordedState& state,
                 const std::vector<std::size_t>& wanted) {
  std::vector<std::int64_t> ids;
  std::unordered_map<std::int64_t, std::size_t> index;
  for (const std::size_t i : wanted) {
    ids.push_back(state.fingerprints[i].id);
    index.emplace(ids.back(), i);
  }
  SQLite::Statement checksums = about_fingerprints(
      database,
      "SELECT id, method_checksums FROM file_fp WHERE id IN (SELECT value FROM json_each(?))", ids);
  while (checksums.executeStep()) {
    state.fingerprints[index.at(checksums.getColumn(0).getInt64())].checksums =
        unpack(checksums.getColumn(1));
  }
  SQLite::Statement dependencies =
      about_fingerprints(database,
                         "SELECT test_execution_id, fingerprint_id FROM test_execution_file_fp"
                         " WHERE fingerprint_id IN (SELECT value FROM json_each(?))",
                         ids);
  while (dependencies.executeStep()) {
    const std::int64_t id = dependencies.getColumn(0).getInt64();
    const auto test = std::lower_bound(
        state.tests.begin(), state.tests.end(), id,
        [](const RecordedTest& left, std::int64_t right) { return left.id < right; });
    if (test != state.tests.end() && test->id == id) {
      state.dependencies.push_back({.test = static_cast<std::size_t>(test - state.tests.begin()),
                                    .fingerprint = index.at(dependencies.getColumn(1).getInt64())});
    }
  }
}

std::optional<RecordedState> read_state(SQLite::Database& database, int data_version,
                                        const RecordedStateQuery& query) {
  const SQLite::Transaction one_moment(database);
  std::vector<EnvironmentRow> rows = EnvironmentTable(database).all();
  const std::optional<std::int64_t> id = query.choose_environment(rows);
  const auto row = std::find_if(rows.begin(), rows.end(), [&id](const EnvironmentRow& candidate) {
    return candidate.id == id;
  });
  if (row == rows.end()) {
    return std::nullopt;
  }
  RecordedState state;
  state.data_version = data_version;
  state.environment = std::move(*row);
  read_tests(database, state);
  read_fingerprints(database, state);
  if (const std::vector<std::size_t> wanted = query.choose_fingerprints(state); !wanted.empty()) {
    read_wanted(database, state, wanted);
  }
  return state;
}

} // namespace

std::optional<RecordedState> read_recorded_state(const fs::path& file,
                                                 const RecordedStateQuery& query,
                                                 util::Seconds busy_timeout) {
  return read_datafile(file, busy_timeout, [&](SQLite::Database& database, int data_version) {
    return std::optional(read_state(database, data_version, query));
  });
}

std::map<std::string, util::Seconds> read_newest_durations(const fs::path& file,
                                                           util::Seconds busy_timeout) {
  return read_datafile(file, busy_timeout, [](SQLite::Database& database, int) {
    std::map<std::string, util::Seconds> durations;
    SQLite::Statement statement(database, "SELECT test_name, duration FROM test_execution"
                                          " WHERE duration IS NOT NULL ORDER BY id");
    while (statement.executeStep()) {
      durations[text_of(statement.getColumn(0))] =
          util::Seconds(statement.getColumn(1).getDouble());
    }
    return durations;
  });
}

} // namespace testmon_precreate::datafile
