#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

namespace testmon_precreate::datafile {

// Rewrites the tables of data version `from` into those of `to`, inside the caller's transaction:
// no row is lost and every id stays. Ends with foreign_key_check and integrity_check.
//
// The versions differ in words that only the schema's text holds (ON DELETE CASCADE), so the text
// is what is rewritten, by the procedure of https://sqlite.org/lang_altertable.html, section 7, for
// changes that do not affect the content on disk; and in two scratch tables, whose rows mean
// nothing outside the run that wrote them.
//
// Throws DamagedFile where the tables are not testmon's of version `from` or a check fails;
// SQLite::Exception. The caller rolls back then and closes the connection.
void change_data_version(SQLite::Database& database, int from, int to,
                         const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
