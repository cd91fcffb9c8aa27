#include <testmon_precreate/datafile/checkup.hpp>
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/integrity.hpp>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// Calls `read(database)` on an existing data file of a known version.
template <typename Read>
void read_sound(const fs::path& file, util::Seconds busy_timeout, Read read) {
  translating_errors(file, [&] {
    const fs::path target = resolve_links(file);
    const Inspection seen = inspect(target);
    require_sound(seen, target);
    if (seen.kind == FileKind::database) {
      static_cast<void>(read_only(target, seen, busy_timeout, [&](SQLite::Database& database) {
        require_known_version(read_data_version(database), target);
        read(database);
        return true;
      }));
    }
  });
}

} // namespace

std::size_t count_tests_without_other_files(const fs::path& file, std::int64_t environment,
                                            util::Seconds busy_timeout) {
  std::size_t count = 0;
  read_sound(file, busy_timeout, [&](SQLite::Database& database) {
    SQLite::Statement statement(
        database, "SELECT count(*) FROM test_execution t WHERE environment_id = ?"
                  " AND duration IS NOT NULL AND NOT EXISTS"
                  " (SELECT 1 FROM test_execution_file_fp d JOIN file_fp f ON f.id ="
                  " d.fingerprint_id WHERE d.test_execution_id = t.id AND f.filename <>"
                  " substr(t.test_name, 1, instr(t.test_name || '::', '::') - 1))");
    statement.bind(1, environment);
    statement.executeStep();
    count = static_cast<std::size_t>(statement.getColumn(0).getInt64());
  });
  return count;
}

void check_integrity(const fs::path& file, util::Seconds busy_timeout) {
  read_sound(file, busy_timeout, [&](SQLite::Database& database) {
    require_integrity(database, file);
    require_foreign_keys(database, file);
  });
}

} // namespace testmon_precreate::datafile
