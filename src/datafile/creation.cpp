#include "testmon_precreate/datafile/creation.hpp"
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/util/files.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <memory>
#include <string>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

struct FreeByLibrary {
  void operator()(unsigned char* memory) const { sqlite3_free(memory); }
};

// The bytes of a database file in WAL mode.
std::string database_image(int data_version, const Environment& environment) {
  SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  create_schema(database, data_version);
  static_cast<void>(EnvironmentTable(database).insert(environment));
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, FreeByLibrary> bytes(
      sqlite3_serialize(database.getHandle(), "main", &size, 0));
  if (!bytes) {
    throw std::bad_alloc();
  }
  std::string image(bytes.get(), bytes.get() + size);
  // The header's file format versions: 2 means WAL (https://sqlite.org/fileformat.html, 1.3.3).
  constexpr std::size_t write_version = 18;
  constexpr std::size_t read_version = 19;
  image[write_version] = image[read_version] = 2;
  return image;
}

} // namespace

bool create_datafile(const fs::path& file, int data_version, const Environment& environment) {
  constexpr mode_t mode = 0644; // SQLite's own, before the umask
  return util::create_file_atomically(file, database_image(data_version, environment), mode);
}

} // namespace testmon_precreate::datafile
