#include "testmon_precreate/datafile/checkup.hpp"
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

std::size_t count_tests_without_other_files(const fs::path& file, std::int64_t environment,
                                            util::Seconds busy_timeout) {
  return read_datafile(file, busy_timeout, [&](SQLite::Database& database, int) {
    SQLite::Statement statement(
        database, "SELECT count(*) FROM test_execution t WHERE environment_id = ?"
                  " AND duration IS NOT NULL AND NOT EXISTS"
                  " (SELECT 1 FROM test_execution_file_fp d JOIN file_fp f ON f.id ="
                  " d.fingerprint_id WHERE d.test_execution_id = t.id AND f.filename <>"
                  " substr(t.test_name, 1, instr(t.test_name || '::', '::') - 1))");
    statement.bind(1, environment);
    statement.executeStep();
    return static_cast<std::size_t>(statement.getColumn(0).getInt64());
  });
}

void check_integrity(const fs::path& file, util::Seconds busy_timeout) {
  static_cast<void>(read_datafile(file, busy_timeout, [&](SQLite::Database& database, int) {
    require_integrity(database, file);
    require_foreign_keys(database, file);
    return true;
  }));
}

} // namespace testmon_precreate::datafile
