#include "testmon_precreate/datafile/integrity.hpp"
#include <testmon_precreate/datafile/damage.hpp>

#include <fmt/format.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

void require_integrity(SQLite::Database& database, const fs::path& file, WhatToCheck what) {
  SQLite::Statement check(database, what == WhatToCheck::everything
                                        ? "PRAGMA integrity_check(1)"
                                        : "PRAGMA integrity_check(sqlite_schema)");
  const std::string found = check.executeStep() ? check.getColumn(0).getString() : "no answer";
  if (found != "ok") {
    throw DamagedFile({"the data file is corrupt: " + found, file.string(), rebuild_hint});
  }
}

void require_foreign_keys(SQLite::Database& database, const fs::path& file) {
  for (const char* table : {"test_execution", "test_execution_file_fp"}) {
    SQLite::Statement check(database, fmt::format("PRAGMA foreign_key_check({})", table));
    if (check.executeStep()) {
      throw DamagedFile(
          {fmt::format("the data file is corrupt: row {} of {} refers to a row of {} "
                       "that is not there",
                       check.getColumn(1).getInt64(), table, check.getColumn(2).getString()),
           file.string(), rebuild_hint});
    }
  }
}

} // namespace testmon_precreate::datafile
