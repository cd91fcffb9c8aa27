#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace testmon_precreate::datafile {

enum class WhatToCheck {
  everything,
  schema // the table sqlite_schema alone
};

// Reads the file (PRAGMA integrity_check). Throws DamagedFile with the first thing found;
// SQLite::Exception.
void require_integrity(SQLite::Database& database, const std::filesystem::path& file,
                       WhatToCheck what = WhatToCheck::everything);

// Looks for rows that refer to rows that are not there (PRAGMA foreign_key_check). testmon's own
// suite_execution_file_fsha refers to a table that no release makes; it is left out.
// Throws as require_integrity.
void require_foreign_keys(SQLite::Database& database, const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
