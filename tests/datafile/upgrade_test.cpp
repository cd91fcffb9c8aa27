#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/datafile/upgrade.hpp>

#include <doctest/doctest.h>

#include <algorithm>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
namespace core = testmon_precreate::core;
using testmon_precreate::tests::add_tests;
using testmon_precreate::tests::bytes_of;
using testmon_precreate::tests::content_of;
using testmon_precreate::tests::names_in;
using testmon_precreate::tests::number;
using testmon_precreate::tests::request_for;
using testmon_precreate::tests::schema_of;
using testmon_precreate::tests::TemporaryDirectory;

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> schema_texts(int data_version) {
  std::vector<std::string> texts;
  for (const auto& object : datafile::schema_objects(data_version)) {
    texts.emplace_back(object.sql);
  }
  return texts;
}

// A file of `data_version` with one environment of ten tests and one parked one of five.
fs::path make_file(const fs::path& directory, int data_version) {
  const fs::path file = directory / ".testmondata";
  auto request = request_for(file, "a 1.0");
  request.data_version = data_version;
  add_tests(file, datafile::prepare_datafile(request).environment_id, 5);
  request.environment.system_packages = "a 2.0";
  add_tests(file, datafile::prepare_datafile(request).environment_id, 10);
  return file;
}

TEST_SUITE("datafile/upgrade") {
  TEST_CASE("every way between the data versions keeps every row") {
    for (int from = datafile::oldest_data_version; from <= datafile::newest_data_version; ++from) {
      for (int to = datafile::oldest_data_version; to <= datafile::newest_data_version; ++to) {
        if (from == to) {
          continue;
        }
        CAPTURE(from);
        CAPTURE(to);
        const TemporaryDirectory directory;
        const fs::path file = make_file(directory.path(), from);
        CHECK(schema_of(file) == schema_texts(from));
        const std::string before = content_of(file);
        auto request = request_for(file, "a 2.0");
        request.data_version = to;
        const auto prepared = datafile::prepare_datafile(request);
        CHECK(prepared.upgraded_from == from);
        CHECK(prepared.action == datafile::EnvironmentAction::reused);
        CHECK(content_of(file) == before);
        CHECK(number(file, "PRAGMA user_version") == to);
        CHECK(sorted(schema_of(file)) == sorted(schema_texts(to)));

        const fs::path backup = datafile::backup_path(file, from);
        CHECK(content_of(backup) == before);
        CHECK(number(backup, "PRAGMA user_version") == from);
        CHECK(schema_of(backup) == schema_texts(from));
        CHECK(names_in(directory.path()) ==
              std::vector<std::string>{".testmondata", backup.filename().string()});
        CHECK_FALSE(datafile::prepare_datafile(request).upgraded_from);
      }
    }
  }

  TEST_CASE("deleting an environment takes its tests along once the version says so") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path(), 13);
    auto request = request_for(file, "a 2.0");
    request.data_version = 14;
    const auto id = datafile::prepare_datafile(request).environment_id;
    {
      SQLite::Database database(file, SQLite::OPEN_READWRITE);
      database.exec("PRAGMA foreign_keys = TRUE");
      SQLite::Statement remove(database, "DELETE FROM environment WHERE id = ?");
      remove.bind(1, id);
      remove.exec();
    }
    CHECK(number(file, "SELECT count(*) FROM test_execution") == 5);
    CHECK(number(file, "SELECT count(*) FROM test_execution_file_fp") == 10);
  }

  TEST_CASE("a backup replaces an older one of the same version, and one that was not finished") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path(), 13);
    directory.write(".testmondata.backup-v13", "old");
    directory.write(".testmondata.backup-v13.tmp", "half");
    auto request = request_for(file, "a 2.0");
    request.data_version = 14;
    static_cast<void>(datafile::prepare_datafile(request));
    CHECK(number(datafile::backup_path(file, 13), "SELECT count(*) FROM test_execution") == 15);
    CHECK(names_in(directory.path()) ==
          std::vector<std::string>{".testmondata", ".testmondata.backup-v13"});
  }

  TEST_CASE("a conversion that is not allowed, or not known, leaves the file as it is") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path(), 13);
    auto request = request_for(file, "a 2.0");
    request.data_version = 14;
    request.allow_upgrade = false;
    const std::string before = bytes_of(file);
    CHECK_THROWS_WITH_AS(static_cast<void>(datafile::prepare_datafile(request)),
                         doctest::Contains("data version 13, testmon needs 14"),
                         core::DatabaseError);
    CHECK(bytes_of(file) == before);
    CHECK(names_in(directory.path()) == std::vector<std::string>{".testmondata"});
  }

  TEST_CASE("tables that are not testmon's are not rewritten") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path(), 13);
    SQLite::Database(file, SQLite::OPEN_READWRITE)
        .exec("ALTER TABLE test_execution ADD extra TEXT");
    const std::string before = bytes_of(file);
    auto request = request_for(file, "a 2.0");
    request.data_version = 14;
    CHECK_THROWS_WITH_AS(static_cast<void>(datafile::prepare_datafile(request)),
                         doctest::Contains("`test_execution` in the data file is not as testmon"),
                         core::DatabaseError);
    CHECK(bytes_of(file) == before);
  }

  TEST_CASE("a row that refers to nothing stops the conversion") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path(), 13);
    SQLite::Database(file, SQLite::OPEN_READWRITE).exec("DELETE FROM test_execution WHERE id = 3");
    const std::string before = bytes_of(file);
    auto request = request_for(file, "a 2.0");
    request.data_version = 14;
    CHECK_THROWS_WITH_AS(static_cast<void>(datafile::prepare_datafile(request)),
                         doctest::Contains("test_execution_file_fp refers to a row of"),
                         core::DatabaseError);
    CHECK(bytes_of(file) == before);
  }
}

} // namespace
