#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <future>

namespace testmon_precreate::datafile {

// `<file>.backup-v<data_version>`: one backup a data version is kept, the newest.
[[nodiscard]] std::filesystem::path backup_path(const std::filesystem::path& file,
                                                int data_version);

// Copies what is committed in `file` to backup_path, which appears at once and whole and replaces
// an older one. The caller holds the file's write lock on another connection, so that no one else
// does the same. Throws SQLite::Exception; std::filesystem::filesystem_error.
void back_up(const std::filesystem::path& file, int data_version, util::Seconds busy_timeout);

// Rewrites the tables of data version `from` into those of `to`, inside the caller's transaction:
// no row is lost and every id stays. Ends with foreign_key_check, and with integrity_check of all
// that it has changed: the caller checks what was there before (check_committed).
//
// The versions differ in words that only the schema's text holds (ON DELETE CASCADE), so the text
// is what is rewritten, by the procedure of https://sqlite.org/lang_altertable.html, section 7, for
// changes that do not affect the content on disk; and in two scratch tables, whose rows mean
// nothing outside the run that wrote them.
//
// Throws DamagedFile if the tables are not testmon's of version `from` or a check fails;
// SQLite::Exception. The caller rolls back then and closes the connection.
void change_data_version(SQLite::Database& database, int from, int to,
                         const std::filesystem::path& file);

// Starts an integrity_check of what is committed in `file`, on a thread and a connection of its own
// that write nothing. Throws from get() as require_integrity does. Not to be outlived by a commit.
[[nodiscard]] std::future<void> check_committed(const std::filesystem::path& file,
                                                util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
