#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/datafile/checkup.hpp>
#include <testmon_precreate/datafile/damage.hpp>

#include <doctest/doctest.h>

#include <fstream>

namespace {

namespace datafile = testmon_precreate::datafile;
using testmon_precreate::tests::add_tests;
using testmon_precreate::tests::bytes_of;
using testmon_precreate::tests::request_for;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::util::Seconds;

constexpr Seconds timeout{5};

} // namespace

TEST_CASE("tests that depend on their own file alone") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "data";
  const auto id = datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id;
  add_tests(file, id, 4);
  CHECK(datafile::count_tests_without_other_files(file, id, timeout) == 0);
  {
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    database.exec("DELETE FROM test_execution_file_fp WHERE test_execution_id IN (1, 2, 3) AND"
                  " fingerprint_id = (SELECT id FROM file_fp WHERE filename = 'shared.py')");
    database.exec("UPDATE test_execution SET duration = NULL WHERE id = 3"); // never ran
  }
  const std::string before = bytes_of(file);
  CHECK(datafile::count_tests_without_other_files(file, id, timeout) == 2);
  CHECK(datafile::count_tests_without_other_files(file, id + 1, timeout) == 0);
  CHECK(datafile::count_tests_without_other_files(directory.path() / "none", id, timeout) == 0);
  CHECK(bytes_of(file) == before);
}

TEST_CASE("a damaged page is found by reading the whole file") {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "data";
  add_tests(file, datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id, 100);
  datafile::check_integrity(file, timeout);
  {
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    database.exec("DELETE FROM file_fp WHERE filename = 'shared.py'");
  }
  CHECK_THROWS_AS(datafile::check_integrity(file, timeout), datafile::DamagedFile);
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(8192);
    stream << std::string(4096, '\xff');
  }
  CHECK_THROWS_AS(datafile::check_integrity(file, timeout), datafile::DamagedFile);
}
