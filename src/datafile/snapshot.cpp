#include "testmon_precreate/datafile/snapshot.hpp"
#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/datafile/statements.hpp>
#include <testmon_precreate/util/files.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

bool copy_datafile(const fs::path& file, const fs::path& copy, util::Seconds busy_timeout) {
  return translating_errors(file, [&] {
    const fs::path source = resolve_links(file);
    const Inspection seen = inspect(source);
    require_sound(seen, source);
    if (seen.kind != FileKind::database) {
      return false;
    }
    return read_only(source, seen, busy_timeout, [&](SQLite::Database& database) {
      // A reader's lock on the log: a checkpoint writes to the file only what was in the log when
      // the lock was taken, and the log is not begun again. So whatever pages of the file are
      // copied in the middle of a checkpoint, the copied log has them too.
      // (https://sqlite.org/walformat.html, 2.3.1)
      database.exec("BEGIN");
      static_cast<void>(read_data_version(database));
      fs::remove(wal_path(copy)); // of an attempt before
      if (fs::exists(wal_path(source))) {
        util::copy_file(wal_path(source), wal_path(copy));
      }
      // Last, for closing any descriptor of the file drops this process's locks on it (fcntl(2)):
      // another connection that ends could then take the log away.
      util::copy_file(source, copy);
      return true;
    });
  });
}

void note_origin(const fs::path& copy, const fs::path& origin) {
  translating_errors(copy, [&] {
    SQLite::Database database(origin.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("PRAGMA journal_mode = OFF");
    database.exec("PRAGMA synchronous = OFF");
    run(database, "ATTACH ? AS copy", copy.string());
    SQLite::Transaction transaction(database);
    database.exec("CREATE TABLE test_execution AS SELECT id, duration, failed"
                  " FROM copy.test_execution NOT INDEXED");
    database.exec("CREATE TABLE metadata AS SELECT * FROM copy.metadata");
    transaction.commit();
  });
}

} // namespace testmon_precreate::datafile
