#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/recorded_state.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <numeric>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
using datafile::RecordedState;
using testmon_precreate::tests::add_tests;
using testmon_precreate::tests::bytes_of;
using testmon_precreate::tests::request_for;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::util::Seconds;

constexpr Seconds timeout{5};

std::optional<RecordedState> read(const fs::path& file, std::int64_t id, bool everything = true) {
  return datafile::read_recorded_state(
      file,
      {.choose_environment = [id](auto) { return std::optional(id); },
       .choose_fingerprints =
           [everything](const RecordedState& state) {
             std::vector<std::size_t> all(everything ? state.fingerprints.size() : 0);
             std::iota(all.begin(), all.end(), 0U);
             return all;
           }},
      timeout);
}

} // namespace

TEST_CASE("an environment's tests, and what they depend on") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "data";
  const auto id = datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id;
  add_tests(file, id, 3);
  {
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    database.exec("UPDATE test_execution SET failed = 1 WHERE test_name = 'test_1.py::test'");
    database.exec("UPDATE test_execution SET duration = NULL WHERE test_name = 'test_2.py::test'");
    database.exec("UPDATE file_fp SET method_checksums = X'01000000FFFFFFFF', fsha = NULL"
                  " WHERE filename = 'shared.py'");
    database.exec("UPDATE file_fp SET method_checksums = X'' WHERE filename <> 'shared.py'");
  }
  const std::string before = bytes_of(file);
  const auto state = read(file, id);
  REQUIRE(state);
  CHECK(state->environment.environment.system_packages == "a 1.0");
  REQUIRE(state->tests.size() == 3);
  CHECK(state->tests[0].name == "test_0.py::test");
  CHECK(state->tests[0].duration == Seconds(0.5));
  CHECK_FALSE(state->tests[0].failed);
  CHECK(state->tests[1].failed);
  CHECK_FALSE(state->tests[2].duration);
  REQUIRE(state->fingerprints.size() == 4);
  CHECK(state->fingerprints[0].filename == "shared.py");
  CHECK(state->fingerprints[0].fsha.empty());
  CHECK(state->fingerprints[0].checksums == std::vector<std::int32_t>{1, -1});
  CHECK(state->fingerprints[1].checksums.empty());
  CHECK(state->dependencies.size() == 6);
  CHECK(bytes_of(file) == before);
  CHECK(read(file, id, false)->dependencies.empty());
}

TEST_CASE("dependencies of other environments stay out") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "data";
  const auto first = datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id;
  add_tests(file, first, 3);
  const auto second = datafile::prepare_datafile(request_for(file, "a 2.0")).environment_id;
  add_tests(file, second, 1);
  CHECK(read(file, second)->tests.size() == 1);
  CHECK(read(file, second)->dependencies.size() == 2);
  CHECK(read(file, first)->environment.parked);
  CHECK(read(file, first)->dependencies.size() == 6);
}

TEST_CASE("what SQLite has to sort and to look up may be large") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "data";
  const auto id = datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id;
  {
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    database.exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
                  " INSERT INTO file_fp (filename, fsha, method_checksums)"
                  " SELECT hex(zeroblob(40)) || i, 'hash', X'01000000' FROM n");
    database.exec("INSERT INTO test_execution (environment_id, test_name, failed)"
                  " SELECT 1, filename || '::test', 0 FROM file_fp");
    database.exec("INSERT INTO test_execution_file_fp SELECT t.id, f.id FROM test_execution t, "
                  "file_fp f WHERE t.id = f.id");
  }
  const auto state = read(file, id);
  CHECK(state->tests.size() == 50000);
  CHECK(state->dependencies.size() == 50000);
}

TEST_CASE("nothing to read: no file, an empty one, no such environment") {
  const TemporaryDirectory directory;
  const fs::path file = directory.path() / "data";
  CHECK_FALSE(read(file, 1));
  CHECK_FALSE(fs::exists(file));
  static_cast<void>(directory.write("empty"));
  CHECK_FALSE(read(directory.path() / "empty", 1));
  static_cast<void>(datafile::prepare_datafile(request_for(file, "a 1.0")));
  CHECK_FALSE(read(file, 99));
  CHECK_THROWS_AS(static_cast<void>(read(directory.write("other", "no database at all, but longer "
                                                                  "than a header of SQLite's is, "
                                                                  "which counts a hundred bytes"),
                                         1)),
                  testmon_precreate::core::DatabaseError);
}
