#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

namespace testmon_precreate::datafile {

// A prepared statement with nothing between it and SQLite, for loops over millions of rows: a
// column of SQLiteCpp's costs more than its reading. Throws SQLite::Exception.
class RawStatement {
public:
  // `database` must outlive the statement.
  RawStatement(SQLite::Database& database, std::string_view sql)
      : database_(database.getHandle()) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
    statement_.reset(statement);
  }

  // Starts again, with the bindings that there are.
  void reset() noexcept { sqlite3_reset(statement_.get()); }

  // Returns whether there is a row.
  bool step() {
    const int result = sqlite3_step(statement_.get());
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
      throw SQLite::Exception(database_, result);
    }
    return result == SQLITE_ROW;
  }

  // Runs a statement that returns no rows.
  void run() {
    reset();
    step();
    reset();
  }

  // Parameters and columns are counted as SQLite does: from 1 and from 0.
  void bind(int index, std::int64_t value) {
    check(sqlite3_bind_int64(statement_.get(), index, value));
  }

  void bind(int index, double value) { check(sqlite3_bind_double(statement_.get(), index, value)); }

  // Text that must stay as it is until the statement has run.
  void bind(int index, std::string_view value) {
    check(sqlite3_bind_text(statement_.get(), index, value.empty() ? "" : value.data(),
                            static_cast<int>(value.size()), SQLITE_STATIC));
  }

  // NULL for nothing.
  template <typename Value>
  void bind(int index, const std::optional<Value>& value) {
    value ? bind(index, *value) : check(sqlite3_bind_null(statement_.get(), index));
  }

  // A copy of a column of another statement's row, of whatever type it is.
  void bind_column(int index, const RawStatement& row, int column) {
    check(sqlite3_bind_value(statement_.get(), index,
                             sqlite3_column_value(row.statement_.get(), column)));
  }

  // Whether a text, a BLOB or NULL is the same in another statement's row; of numbers never.
  [[nodiscard]] bool has_same(int column, const RawStatement& row) const {
    sqlite3_stmt* const own = statement_.get();
    sqlite3_stmt* const other = row.statement_.get();
    const int type = sqlite3_column_type(own, column);
    if (type != sqlite3_column_type(other, column) || type == SQLITE_INTEGER ||
        type == SQLITE_FLOAT) {
      return false;
    }
    const void* const bytes = sqlite3_column_blob(own, column);
    const void* const others = sqlite3_column_blob(other, column);
    const int size = sqlite3_column_bytes(own, column);
    return size == sqlite3_column_bytes(other, column) &&
           (size == 0 || std::memcmp(bytes, others, static_cast<std::size_t>(size)) == 0);
  }

  [[nodiscard]] bool is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }

  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }

  [[nodiscard]] double real(int column) const {
    return sqlite3_column_double(statement_.get(), column);
  }

  // Valid until the next step or reset.
  [[nodiscard]] std::string_view text(int column) const {
    // NOLINTNEXTLINE(*-reinterpret-cast): SQLite's UTF-8 is unsigned
    const auto* bytes =
        reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return bytes == nullptr ? std::string_view()
                            : std::string_view(bytes, static_cast<std::size_t>(size));
  }

private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  void check(int result) const {
    if (result != SQLITE_OK) {
      throw SQLite::Exception(database_, result);
    }
  }

  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

} // namespace testmon_precreate::datafile
