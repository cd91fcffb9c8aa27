#include "testmon_precreate/datafile/schema.hpp"
#include <testmon_precreate/util/files.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <new>
#include <string>

namespace testmon_precreate::datafile {

namespace fs = std::filesystem;

namespace {

// The texts are testmon/db.py's, with its blanks: testmon's own files and ours have equal schemas.

constexpr SchemaObject metadata{"metadata",
                                "CREATE TABLE metadata (dataid TEXT PRIMARY KEY, data TEXT)"};

constexpr SchemaObject environment_table{"environment", R"(CREATE TABLE environment (
                id INTEGER PRIMARY KEY ASC,
                environment_name TEXT,
                system_packages TEXT,
                python_version TEXT,
                UNIQUE (environment_name, system_packages, python_version)
            ))"};

constexpr SchemaObject test_execution_13{"test_execution", R"(CREATE TABLE test_execution (
                id INTEGER PRIMARY KEY ASC,
                environment_id INTEGER,
                test_name TEXT,
                duration FLOAT,
                failed BIT,
                forced BIT,
                FOREIGN KEY(environment_id) REFERENCES environment(id)))"};

constexpr SchemaObject test_execution_14{"test_execution", R"(CREATE TABLE test_execution (
                id INTEGER PRIMARY KEY ASC,
                environment_id INTEGER,
                test_name TEXT,
                duration FLOAT,
                failed BIT,
                forced BIT,
                FOREIGN KEY(environment_id) REFERENCES environment(id) ON DELETE CASCADE))"};

constexpr SchemaObject test_execution_index{
    "test_execution_fk_name",
    "CREATE INDEX test_execution_fk_name ON test_execution (environment_id, test_name)"};

constexpr SchemaObject changed_files_fshas{
    "changed_files_fshas",
    "CREATE TABLE changed_files_fshas (exec_id INTEGER, filename TEXT, fsha TEXT)"};

constexpr SchemaObject changed_files_fshas_index{
    "changed_files_fshas_mcall",
    "CREATE INDEX changed_files_fshas_mcall ON changed_files_fshas (exec_id, filename, fsha)"};

constexpr SchemaObject changed_files_mhashes{
    "changed_files_mhashes",
    "CREATE TABLE changed_files_mhashes (exec_id INTEGER, filename TEXT, mhashes BLOB)"};

constexpr SchemaObject changed_files_mhashes_index{
    "changed_files_mhashes_eid",
    "CREATE INDEX changed_files_mhashes_eid ON changed_files_mhashes (exec_id)"};

constexpr SchemaObject file_fp{"file_fp", R"(CREATE TABLE file_fp
            (
                id INTEGER PRIMARY KEY,
                filename TEXT,
                method_checksums BLOB,
                mtime FLOAT,
                fsha TEXT,
                UNIQUE (filename, fsha, method_checksums)
            ))"};

constexpr SchemaObject test_execution_file_fp_13{"test_execution_file_fp",
                                                 R"(CREATE TABLE test_execution_file_fp (
                test_execution_id INTEGER,
                fingerprint_id INTEGER,
                FOREIGN KEY(test_execution_id) REFERENCES test_execution(id),
                FOREIGN KEY(fingerprint_id) REFERENCES file_fp(id)
            ))"};

constexpr SchemaObject test_execution_file_fp_14{"test_execution_file_fp",
                                                 R"(CREATE TABLE test_execution_file_fp (
                test_execution_id INTEGER,
                fingerprint_id INTEGER,
                FOREIGN KEY(test_execution_id) REFERENCES test_execution(id) ON DELETE CASCADE,
                FOREIGN KEY(fingerprint_id) REFERENCES file_fp(id)
            ))"};

constexpr SchemaObject test_execution_file_fp_index{
    "test_execution_file_fp_both", "CREATE INDEX test_execution_file_fp_both ON "
                                   "test_execution_file_fp (test_execution_id, fingerprint_id)"};

constexpr SchemaObject suite_execution_file_fsha_13{"suite_execution_file_fsha",
                                                    R"(CREATE TABLE suite_execution_file_fsha (
                suite_execution_id INTEGER,
                filename TEXT,
                fsha text,
                FOREIGN KEY(suite_execution_id) REFERENCES suite_execution(id)
                ))"};

constexpr SchemaObject suite_execution_file_fsha_14{"suite_execution_file_fsha",
                                                    R"(CREATE TABLE suite_execution_file_fsha (
                suite_execution_id INTEGER,
                filename TEXT,
                fsha text,
                FOREIGN KEY(suite_execution_id) REFERENCES suite_execution(id) ON DELETE CASCADE
                ))"};

constexpr SchemaObject suite_execution_file_fsha_index{
    "sefch_suite_id_filename_sha", "CREATE UNIQUE INDEX sefch_suite_id_filename_sha ON "
                                   "suite_execution_file_fsha(suite_execution_id, filename, fsha)"};

// From this version on, deleting an environment deletes its tests.
constexpr int first_cascading_version = 14;

// Up to this version, two scratch tables were regular ones.
constexpr int last_version_with_scratch_tables = 12;

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

std::vector<SchemaObject> schema_objects(int data_version) {
  const bool cascading = data_version >= first_cascading_version;
  std::vector<SchemaObject> objects{metadata, environment_table,
                                    cascading ? test_execution_14 : test_execution_13,
                                    test_execution_index};
  if (data_version <= last_version_with_scratch_tables) {
    objects.insert(objects.end(), {changed_files_fshas, changed_files_fshas_index,
                                   changed_files_mhashes, changed_files_mhashes_index});
  }
  objects.insert(objects.end(),
                 {file_fp, cascading ? test_execution_file_fp_14 : test_execution_file_fp_13,
                  test_execution_file_fp_index,
                  cascading ? suite_execution_file_fsha_14 : suite_execution_file_fsha_13,
                  suite_execution_file_fsha_index});
  return objects;
}

void create_schema(SQLite::Database& database, int data_version) {
  for (const SchemaObject& object : schema_objects(data_version)) {
    database.exec(std::string(object.sql));
  }
  set_data_version(database, data_version);
}

void set_data_version(SQLite::Database& database, int data_version) {
  database.exec(fmt::format("PRAGMA user_version = {}", data_version));
}

bool create_datafile(const fs::path& file, int data_version, const Environment& environment) {
  constexpr mode_t mode = 0644; // SQLite's own, before the umask
  return util::create_file_atomically(file, database_image(data_version, environment), mode);
}

} // namespace testmon_precreate::datafile
