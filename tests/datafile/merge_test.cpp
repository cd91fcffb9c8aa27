#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/creation.hpp>
#include <testmon_precreate/datafile/merge.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/datafile/snapshot.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <unistd.h>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
namespace core = testmon_precreate::core;
using datafile::Environment;
using datafile::MergeReport;
using datafile::MergeRequest;
using datafile::OnDisk;
using testmon_precreate::tests::bytes_of;
using testmon_precreate::tests::names_in;
using testmon_precreate::tests::number;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::util::Seconds;

struct Fingerprint {
  std::string filename;
  std::optional<std::string> fsha;
  std::string checksums;

  auto operator<=>(const Fingerprint&) const = default;
};

struct Test {
  std::optional<double> duration;
  bool failed = false;
  std::optional<int> forced;
  std::set<Fingerprint> fingerprints;

  bool operator==(const Test&) const = default;
};

// What testmon sees in a data file, row ids aside.
using Tests = std::map<std::string, Test>;
using Content = std::map<std::tuple<std::string, std::string, std::string>, Tests>;

const Environment usual{"default", "a 1.0", "3.11.7"};

Test passed(double duration, const std::string& fsha = "1") {
  return {.duration = duration,
          .failed = false,
          .forced = 0,
          .fingerprints = {{"test_a.py", fsha, "abcd"}, {"a.py", fsha, "efgh"}}};
}

Test old(Test test) {
  test.forced.reset();
  return test;
}

Test failure(Test test) {
  test.failed = true;
  return test;
}

const Test placeholder{
    .duration = {}, .failed = false, .forced = {}, .fingerprints = {{"test_a.py", {}, "0mat"}}};

void bind(SQLite::Statement& statement, int index, const auto& optional) {
  optional ? statement.bind(index, *optional) : statement.bind(index);
}

std::int64_t write_fingerprint(SQLite::Database& database, const Fingerprint& fingerprint) {
  SQLite::Statement query(database, "SELECT id FROM file_fp WHERE filename = ? AND fsha IS ?"
                                    " AND method_checksums IS ?");
  SQLite::Statement insert(database, "INSERT INTO file_fp (filename, fsha, method_checksums)"
                                     " VALUES (?, ?, ?)");
  for (SQLite::Statement* statement : {&query, &insert}) {
    statement->bind(1, fingerprint.filename);
    bind(*statement, 2, fingerprint.fsha);
    // Not null: SQLite takes an empty BLOB at a null pointer for NULL.
    statement->bind(3, fingerprint.checksums.c_str(),
                    static_cast<int>(fingerprint.checksums.size()));
  }
  if (query.executeStep()) {
    return query.getColumn(0).getInt64();
  }
  insert.exec();
  return database.getLastInsertRowid();
}

void write_test(SQLite::Database& database, std::int64_t environment, const std::string& name,
                const Test& test) {
  SQLite::Statement insert(database, "INSERT INTO test_execution (environment_id, test_name,"
                                     " duration, failed, forced) VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, environment);
  insert.bind(2, name);
  bind(insert, 3, test.duration);
  insert.bind(4, test.failed ? 1 : 0);
  bind(insert, 5, test.forced);
  insert.exec();
  const auto id = database.getLastInsertRowid();
  for (const Fingerprint& fingerprint : test.fingerprints) {
    const auto fingerprint_id = write_fingerprint(database, fingerprint);
    database.exec(
        fmt::format("INSERT INTO test_execution_file_fp VALUES ({}, {})", id, fingerprint_id));
  }
}

// Adds tests to the environment of a file, which is made if it does not exist.
void write(const fs::path& file, const Environment& environment, const Tests& tests,
           int data_version = 13) {
  static_cast<void>(datafile::create_datafile(file, data_version, environment));
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  database.exec("PRAGMA synchronous = OFF");
  const SQLite::Transaction rolled_back_on_errors(database);
  std::int64_t id = 0;
  for (const auto& row : datafile::EnvironmentTable(database).named(environment.name)) {
    id = row.environment == environment ? row.id : id;
  }
  if (id == 0) {
    id = datafile::EnvironmentTable(database).insert(environment);
  }
  for (const auto& [name, test] : tests) {
    write_test(database, id, name, test);
  }
  database.exec("COMMIT");
}

Content read(const fs::path& file) {
  const SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement rows(
      database,
      "SELECT CAST(environment_name AS TEXT), system_packages, python_version, test_name, duration,"
      " failed, forced, filename, fsha, method_checksums FROM environment e"
      " LEFT JOIN test_execution t ON environment_id = e.id"
      " LEFT JOIN test_execution_file_fp ON test_execution_id = t.id"
      " LEFT JOIN file_fp f ON f.id = fingerprint_id");
  Content content;
  while (rows.executeStep()) {
    Tests& tests = content[{rows.getColumn(0).getString(), rows.getColumn(1).getString(),
                            rows.getColumn(2).getString()}];
    if (rows.getColumn(3).isNull()) {
      continue;
    }
    Test& test = tests[rows.getColumn(3).getString()];
    if (!rows.getColumn(4).isNull()) {
      test.duration = rows.getColumn(4).getDouble();
    }
    test.failed = rows.getColumn(5).getInt() != 0;
    if (!rows.getColumn(6).isNull()) {
      test.forced = rows.getColumn(6).getInt();
    }
    if (!rows.getColumn(7).isNull()) {
      const auto fsha = rows.getColumn(8);
      test.fingerprints.insert({rows.getColumn(7).getString(),
                                fsha.isNull() ? std::nullopt : std::optional(fsha.getString()),
                                rows.getColumn(9).getString()});
    }
  }
  return content;
}

// The tests of the usual environment.
Tests tests_in(const fs::path& file) {
  return read(file)[{usual.name, usual.system_packages, usual.python_version}];
}

MergeRequest request_for(const fs::path& target, std::vector<fs::path> inputs) {
  MergeRequest request;
  request.inputs = std::move(inputs);
  request.target = target;
  request.busy_timeout = testmon_precreate::util::Seconds(5);
  return request;
}

MergeReport merge_into(const fs::path& target, std::vector<fs::path> inputs) {
  return datafile::merge(request_for(target, std::move(inputs)));
}

// What remains of two records of one test, merged in both orders.
Test merged(const Test& left, const Test& right, const std::optional<Test>& base = std::nullopt,
            const std::string& fsha_on_disk = "") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "left", usual, {{"test_a.py::test", left}});
  write(at / "right", usual, {{"test_a.py::test", right}});
  MergeRequest request = request_for(at / "merged", {at / "left", at / "right"});
  if (base) {
    write(at / "base", usual, {{"test_a.py::test", *base}});
    request.base = at / "base";
  }
  request.disk = [&](const std::string&, std::string_view fsha) {
    return fsha == fsha_on_disk ? OnDisk::same : OnDisk::other;
  };
  static_cast<void>(datafile::merge(request));
  std::swap(request.inputs.front(), request.inputs.back());
  request.target = at / "other order";
  static_cast<void>(datafile::merge(request));
  const Tests tests = tests_in(at / "merged");
  CHECK(tests == tests_in(at / "other order"));
  REQUIRE(tests.size() == 1);
  return tests.begin()->second;
}

// The message of the error.
std::string error_of(const MergeRequest& request) {
  try {
    static_cast<void>(datafile::merge(request));
  } catch (const core::DatabaseError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("merge: which record of a test is kept") {
  const Test older = old(passed(1.5));
  const Test newer = passed(2.5, "2");
  SUBCASE("an execution rather than a placeholder") {
    CHECK(merged(placeholder, older) == older);
    CHECK(merged(placeholder, old(failure(older))) == failure(older));
  }
  SUBCASE("the one of its file's last run") { CHECK(merged(older, newer) == newer); }
  SUBCASE("one that matches the disk, whichever run it is of") {
    CHECK(merged(older, newer, std::nullopt, "1") == older);
    CHECK(merged(failure(older), newer, std::nullopt, "2") == newer);
    CHECK(merged(older, failure(newer), std::nullopt, "1") == older);
  }
  SUBCASE("a failure, where the disk does not decide") {
    CHECK(merged(failure(older), newer) == failure(older));
    CHECK(merged(failure(older), passed(2.5, "1"), std::nullopt, "1") == failure(older));
  }
  SUBCASE("with a base: one that was executed since, even if it fails or passes otherwise") {
    CHECK(merged(failure(older), newer, failure(older)) == newer);
    CHECK(merged(passed(1.5), old(newer), passed(1.5)) == old(newer));
    CHECK(merged(older, failure(newer), older, "1") == failure(newer));
    CHECK(merged(older, older, older) == older);
  }
  SUBCASE("of a failure and a success since the base, the failure") {
    CHECK(merged(failure(newer), passed(3.5, "2"), older) == failure(newer));
  }
  SUBCASE("a fingerprint without checksums or fsha stays as it is") {
    Test odd = passed(4.5);
    odd.fingerprints = {{"empty.py", "5", ""}, {"test_a.py", {}, ""}, {"test_a.py", "7", "ijkl"}};
    CHECK(merged(odd, older) == odd);
  }
}

// One test as it was when a copy was made, in the copy now, and in the file that was copied.
Test merged_into_original(const Test& before, const Test& in_copy, const Test& in_original) {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "original", usual, {{"test_a.py::test", before}});
  REQUIRE(datafile::copy_datafile(at / "original", at / "copy", Seconds(1)));
  datafile::note_origin(at / "copy", at / "origin");
  for (const auto& [name, test] : {std::pair("copy", in_copy), {"original", in_original}}) {
    if (test != before) { // testmon inserts a test again when it runs; here even its id is the same
      SQLite::Database(at / name, SQLite::OPEN_READWRITE)
          .exec("DELETE FROM test_execution; DELETE FROM test_execution_file_fp");
      write(at / name, usual, {{"test_a.py::test", test}});
    }
  }
  MergeRequest request = request_for(at / "original", {at / "copy"});
  request.origin = at / "origin";
  static_cast<void>(datafile::merge(request));
  return tests_in(at / "original").at("test_a.py::test");
}

TEST_CASE("merge: a copy into the file that it was made of") {
  const Test before = old(failure(passed(1.5)));
  const Test in_copy = passed(2.5, "2");
  const Test in_original = failure(passed(3.5, "3"));
  SUBCASE("what was executed in one of the two") {
    CHECK(merged_into_original(before, in_copy, before) == in_copy);
    CHECK(merged_into_original(before, before, old(passed(3.5))) == old(passed(3.5)));
    CHECK(merged_into_original(before, before, before) == before);
  }
  SUBCASE("what was executed in both") {
    CHECK(merged_into_original(before, in_copy, in_original) == in_original);
    CHECK(merged_into_original(passed(1.5), failure(in_copy), passed(3.5)) == failure(in_copy));
  }
  SUBCASE("what can no longer be known of the copy's beginning is an error that changes nothing") {
    const TemporaryDirectory directory;
    const fs::path& at = directory.path();
    write(at / "original", usual, {{"test_a.py::test", before}});
    fs::copy_file(at / "original", at / "copy");
    directory.write("origin", std::string(5000, 'x'));
    const std::string bytes = bytes_of(at / "original");
    MergeRequest request = request_for(at / "original", {at / "copy"});
    request.origin = at / "origin";
    CHECK(contains(error_of(request), "the base is damaged"));
    CHECK(bytes_of(at / "original") == bytes);
  }
}

TEST_CASE("merge: tests that are missing in some files") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  const Tests both{{"test_a.py::test", old(passed(1.5))}, {"test_b.py::test", old(passed(2.5))}};
  write(at / "base", usual, both);
  fs::copy_file(at / "base", at / "target");
  write(at / "one", usual, {{"test_a.py::test", old(passed(1.5))}});
  MergeRequest request = request_for(at / "target", {at / "one"});
  SUBCASE("without a base they stay") {
    CHECK(datafile::merge(request).dropped == 0);
    CHECK(tests_in(at / "target") == both);
  }
  SUBCASE("with a base that is not the target they stay, too") {
    request.base = at / "base";
    CHECK(datafile::merge(request).dropped == 0);
    CHECK(tests_in(at / "target") == both);
  }
  SUBCASE("what no input has goes from the base") {
    request.base = at / "target";
    const MergeReport report = datafile::merge(request);
    CHECK(report.dropped == 1);
    CHECK(report.tests == 1);
    CHECK(tests_in(at / "target").size() == 1);
  }
  SUBCASE("what one input has stays") {
    write(at / "two", usual, both);
    request.inputs.push_back(at / "two");
    request.base = at / "base";
    CHECK(datafile::merge(request).dropped == 0);
    CHECK(tests_in(at / "target") == both);
    request.target = at / "new";
    CHECK(datafile::merge(request).tests == 2);
    CHECK(tests_in(at / "new") == both);
  }
}

TEST_CASE("merge: environments") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  const Environment changed{"default", "a 2.0", "3.11.7"};
  const Environment named{"slow", "a 1.0", "3.11.7"};
  write(at / "target", usual, {{"test_a.py::test", passed(1.5)}});
  write(at / "one", changed, {{"test_a.py::test", passed(2.5)}}, 14);
  write(at / "one", named, {{"test_a.py::test", passed(3.5)}});
  {
    SQLite::Database database(at / "one", SQLite::OPEN_READWRITE);
    const std::int64_t parked = 2;
    datafile::Parking(database).park({&parked, 1}, testmon_precreate::util::Seconds(1234.5));
  }
  const MergeReport report = merge_into(at / "target", {at / "one"});
  CHECK(report.data_version == 13);
  CHECK(report.tests == 3);
  CHECK(read(at / "target").size() == 3);
  CHECK(number(at / "target", "SELECT count(*) FROM environment"
                              " WHERE environment_name = 'default'") == 1);
  CHECK(number(at / "target",
               "SELECT count(*) FROM environment"
               " WHERE system_packages = 'a 1.0' AND environment_name = 'default'") == 1);
  CHECK(number(at / "target", "SELECT count(*) FROM metadata WHERE data = '1234.500000'") == 1);
  SUBCASE("what the inputs show, where the target is what they started from") {
    MergeRequest request = request_for(at / "target", {at / "one"});
    request.base = at / "target";
    static_cast<void>(datafile::merge(request));
    CHECK(read(at / "target").size() == 3);
    CHECK(number(at / "target", "SELECT count(*) FROM environment WHERE system_packages = 'a 2.0'"
                                " AND environment_name = 'default'") == 1);
    CHECK(number(at / "target", "SELECT count(*) FROM environment"
                                " WHERE environment_name = 'default'") == 1);
  }
  SUBCASE("a parked one that an input shows, of a name without a visible one, is shown") {
    write(at / "two", named, {});
    static_cast<void>(merge_into(at / "target", {at / "two"}));
    CHECK(number(at / "target", "SELECT count(*) FROM environment"
                                " WHERE environment_name = 'slow'") == 1);
    CHECK(number(at / "target", "SELECT count(*) FROM metadata WHERE data = '1234.500000'") == 0);
  }
}

void write_counter(const fs::path& file, const std::string& key, const std::string& value) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement insert(database, "INSERT OR REPLACE INTO metadata VALUES (?, ?)");
  insert.bind(1, key);
  insert.bind(2, value);
  insert.exec();
}

std::string counter(const fs::path& file, const std::string& key) {
  const SQLite::Database database(file, SQLite::OPEN_READWRITE);
  SQLite::Statement query(database, "SELECT data FROM metadata WHERE dataid = ?");
  query.bind(1, key);
  return query.executeStep() ? query.getColumn(0).getString() : "";
}

TEST_CASE("merge: versions of the project's own distributions make no other environment") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  const Environment before{"default", "a 1.0, app 1.0", "3.11.7", "app 77"};
  const Environment now{"default", "a 1.0, app 1.1", "3.11.7", "app 77"};
  write(at / "target", before, {{"test_a.py::test", failure(passed(1.5))}});
  write(at / "first", now, {{"test_a.py::test", old(failure(passed(1.5)))}});
  write(at / "second", now, {{"test_a.py::test", passed(2.5)}});
  const auto content = [&at] { return read(at / "target"); };
  const auto with = [](const Environment& environment, const Test& test) {
    return Content{{{environment.name, environment.system_packages, environment.python_version},
                    {{"test_a.py::test", test}}}};
  };
  SUBCASE("what is there takes in what the others know") {
    merge_into(at / "target", {at / "second"});
    CHECK(content() == with(before, failure(passed(1.5))));
  }
  SUBCASE("the base is known, and becomes what the others are") {
    MergeRequest request = request_for(at / "target", {at / "first", at / "second"});
    request.base = at / "target";
    CHECK(datafile::merge(request).inputs.back().newer == 1);
    CHECK(content() == with(now, passed(2.5)));
    SQLite::Database database(at / "target", SQLite::OPEN_READONLY);
    const auto rows = datafile::EnvironmentTable(database).all();
    CHECK(rows.front().environment.own_distributions == "app 77");
  }
  SUBCASE("a base elsewhere is known, too") {
    MergeRequest request = request_for(at / "new", {at / "first", at / "second"});
    request.base = at / "target";
    static_cast<void>(datafile::merge(request));
    CHECK(read(at / "new") == with(now, passed(2.5)));
  }
  SUBCASE("a file of a run without the plugin has the note of one with it") {
    fs::remove(at / "first");
    write(at / "first", {"default", "a 1.0, app 1.1", "3.11.7"},
          {{"test_a.py::test", old(failure(passed(1.5)))}});
    MergeRequest request = request_for(at / "target", {at / "first", at / "second"});
    request.base = at / "target";
    static_cast<void>(datafile::merge(request));
    CHECK(content() == with(now, passed(2.5)));
  }
  SUBCASE("in whatever order the files come, the greatest text stays") {
    write(at / "third", before, {{"test_a.py::test", old(failure(passed(1.5)))}});
    merge_into(at / "new", {at / "second", at / "third"});
    merge_into(at / "other order", {at / "third", at / "second"});
    CHECK(read(at / "new") == with(now, old(failure(passed(1.5)))));
    CHECK(read(at / "other order") == read(at / "new"));
  }
  SUBCASE("what else of them has changed makes another one") {
    fs::remove(at / "first");
    write(at / "first", {"default", "a 1.0, app 1.1", "3.11.7", "app 78"},
          {{"test_a.py::test", passed(3.5)}});
    merge_into(at / "target", {at / "first"});
    CHECK(content().size() == 2);
    merge_into(at / "target", {at / "second"}); // its text is another environment's here
    CHECK(content().size() == 2);
  }
}

TEST_CASE("merge: testmon's counters") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  const std::string saved = "None:time_saved";
  const std::string survey = "None:last_survey_notification_date";
  for (const auto& [name, value, date] :
       {std::tuple("base", "10.5", "\"2024-05-01\""), std::tuple("one", "12.5", "\"2024-05-01\""),
        std::tuple("two", "15.0", "\"2024-06-01\""), std::tuple("apart", "3", "\"2023-01-01\"")}) {
    write(at / name, usual, {});
    write_counter(at / name, saved, value);
    write_counter(at / name, survey, date);
  }
  MergeRequest request = request_for(at / "merged", {at / "one", at / "two", at / "apart"});
  SUBCASE("the largest, for what is shared is in each of them") {
    static_cast<void>(datafile::merge(request));
    CHECK(counter(at / "merged", saved) == "15.0");
  }
  SUBCASE("with a base, what each has added") {
    request.base = at / "base";
    static_cast<void>(datafile::merge(request));
    CHECK(counter(at / "merged", saved) == "20"); // 10.5 + 2 + 4.5 + 3
  }
  SUBCASE("into the base") {
    request.base = request.target = at / "base";
    static_cast<void>(datafile::merge(request));
    CHECK(counter(at / "base", saved) == "20");
  }
  CHECK(counter(request.target, survey) == "\"2024-06-01\"");
}

TEST_CASE("merge: bad inputs are named and change nothing") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "target", usual, {{"test_a.py::test", passed(1.5)}});
  write(at / "good", usual, {{"test_b.py::test", passed(2.5)}});
  write(at / "unknown", usual, {});
  SQLite::Database(at / "unknown", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  SQLite::Database(at / "foreign", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE t (a)");
  SQLite::Database(at / "foreign", SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 13");
  directory.write("empty");
  directory.write("text", std::string(4096, 'x'));
  fs::copy_file(at / "good", at / "short");
  fs::resize_file(at / "short", fs::file_size(at / "short") / 2);
  fs::create_directory(at / "directory");
  fs::create_symlink("target", at / "link");
  const std::string before = bytes_of(at / "target");
  const std::array<std::pair<const char*, const char*>, 10> bad{
      {{"unknown", "unknown data version 99"},
       {"foreign", "not a data file of testmon"},
       {"empty", "is empty"},
       {"text", "is not an SQLite database"},
       {"short", "shorter than its header"},
       {"directory", "is a directory"},
       {"link", "is the file that is merged into"},
       {"target", "is the file that is merged into"},
       {"absent", "does not exist"},
       {"shard-*/x", "the pattern matches nothing"}}};
  for (const auto& each : bad) {
    const std::string name = each.first;
    const std::string reason = each.second;
    CAPTURE(name);
    MergeRequest request = request_for(at / "target", {at / "good", at / name});
    const std::string message = error_of(request);
    CHECK(contains(message, (at / name).string()));
    CHECK(contains(message, reason));
    CHECK(bytes_of(at / "target") == before);
    request.target = at / "new";
    if (reason != "is the file that is merged into") {
      CHECK(error_of(request) != "no error");
      CHECK(!fs::exists(at / "new"));
    }
    request.skip_bad_inputs = true;
    request.target = at / "target";
    request.dry_run = true;
    const MergeReport report = datafile::merge(request);
    CHECK(report.tests == 2);
    CHECK(contains(report.inputs.back().problem, reason));
  }
  MergeRequest request = request_for(at / "target", {at / "empty"});
  request.skip_bad_inputs = true;
  CHECK(contains(error_of(request), "1 of 1 files cannot be merged"));
  CHECK(contains(error_of(request_for(at / "target", {at / "empty", at / "text"})), "2 of 2"));
  request = request_for(at / "target", {at / "good"});
  request.base = at / "empty";
  CHECK(contains(error_of(request), "the base is empty"));
  request.base = at / "absent";
  CHECK(contains(error_of(request), "the base does not exist"));
  CHECK(bytes_of(at / "target") == before);
}

TEST_CASE("merge: a damaged page is found, wherever it is") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  Tests tests;
  for (int i = 0; i < 300; ++i) {
    tests[fmt::format("test_{}.py::test", i)] = passed(i + 0.5, std::to_string(i));
  }
  write(at / "good", usual, {{"test_b.py::test", passed(2.5)}});
  write(at / "whole", usual, tests);
  constexpr std::uintmax_t page = 4096;
  const std::uintmax_t pages = fs::file_size(at / "whole") / page;
  REQUIRE(pages > 20);
  for (std::uintmax_t i = 0; i < pages; ++i) {
    CAPTURE(i);
    std::string content = bytes_of(at / "whole");
    content.replace(i * page, page, page, '\xAA');
    directory.write("damaged", content);
    MergeRequest request = request_for(at / "merged", {at / "good", at / "damaged"});
    CHECK(contains(error_of(request), "damaged is"));
    CHECK(!fs::exists(at / "merged"));
    request.skip_bad_inputs = true;
    CHECK(datafile::merge(request).tests == 1);
    fs::remove(at / "merged");
  }
  CHECK(names_in(at) == std::vector<std::string>{"damaged", "good", "whole"});
}

TEST_CASE("merge: what a killed merge has left goes") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "one", usual, {{"test_a.py::test", passed(1.5)}});
  constexpr const char* dead = "99999999"; // larger than any pid
  for (const char* suffix : {"", "-wal", "-shm"}) {
    directory.write(fmt::format("merged.merging-{}{}", dead, suffix), "rest");
    directory.write(fmt::format("merged.merging-{}{}", ::getpid(), suffix), "rest");
  }
  directory.write(fmt::format("merged.merging-{}", ::getppid()), "of a process that lives");
  directory.write(fmt::format("other.merging-{}", dead), "of another file");
  static_cast<void>(merge_into(at / "merged", {at / "one"}));
  CHECK(names_in(at) == std::vector<std::string>{"merged",
                                                 fmt::format("merged.merging-{}", ::getppid()),
                                                 "one", fmt::format("other.merging-{}", dead)});
}

TEST_CASE("merge: another project's file") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  Test foreign = passed(1.5);
  foreign.fingerprints = {{"else.py", "9", "mnop"}};
  write(at / "ours", usual, {{"test_a.py::test", passed(1.5)}});
  write(at / "theirs", usual, {{"else.py::test", foreign}});
  write(at / "nothing", usual, {});
  MergeRequest request = request_for(at / "new", {at / "ours", at / "nothing", at / "theirs"});
  bool is_checked_out = true;
  request.disk = [&](const std::string& file, std::string_view) {
    return is_checked_out && file != "else.py" ? OnDisk::other : OnDisk::absent;
  };
  CHECK(contains(error_of(request), "theirs is another project's"));
  SUBCASE("asked for") { request.accept_other_project = true; }
  SUBCASE("where nothing is checked out, it cannot be told") { is_checked_out = false; }
  SUBCASE("left out") {
    request.skip_bad_inputs = true;
    CHECK(datafile::merge(request).tests == 1);
    return;
  }
  CHECK(datafile::merge(request).tests == 2);
}

TEST_CASE("merge: what lies in a write-ahead log counts, and stays there") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "one", usual, {{"test_a.py::test", passed(1.5)}});
  SQLite::Database writer(at / "one", SQLite::OPEN_READWRITE);
  writer.exec("UPDATE test_execution SET duration = 7.5");
  SUBCASE("of a process at work") {}
  SUBCASE("left behind") {
    fs::create_directory(at / "copy");
    fs::copy_file(at / "one", at / "copy" / "one");
    fs::copy_file(at / "one-wal", at / "copy" / "one-wal");
  }
  const fs::path input = fs::exists(at / "copy") ? at / "copy" / "one" : at / "one";
  const std::string before = bytes_of(input);
  const std::string log = bytes_of(input.string() + "-wal");
  static_cast<void>(merge_into(at / "merged", {input}));
  static_cast<void>(merge_into(at / "merged", {input}));
  CHECK(tests_in(at / "merged").at("test_a.py::test").duration == 7.5);
  CHECK(bytes_of(input) == before);
  CHECK(bytes_of(input.string() + "-wal") == log);
}

TEST_CASE("merge: a dry run writes nothing and reports the same") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "one", usual, {{"a::t", passed(1.5)}, {"b::t", passed(2.5)}}, 12);
  write(at / "two", usual, {{"a::t", placeholder}, {"b::t", passed(3.5)}, {"c::t", passed(4.5)}});
  MergeRequest request = request_for(at / "target", {at / "one", at / "two"});
  SUBCASE("into a new file") {}
  SUBCASE("into an old one") { write(at / "target", usual, {{"b::t", old(passed(0.5))}}); }
  SUBCASE("into an empty one") { directory.write("target"); }
  const auto names = names_in(at);
  request.dry_run = true;
  const MergeReport planned = datafile::merge(request);
  CHECK(names_in(at) == names);
  request.dry_run = false;
  const MergeReport done = datafile::merge(request);
  CHECK(planned.tests == 3);
  CHECK(done.tests == 3);
  CHECK(planned.created == done.created);
  CHECK(done.data_version == 13);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(planned.inputs[i].added == done.inputs[i].added);
    CHECK(planned.inputs[i].newer == done.inputs[i].newer);
    CHECK(planned.inputs[i].tests == done.inputs[i].tests);
  }
  CHECK(tests_in(at / "target").size() == 3);
  CHECK(number(at / "target", "PRAGMA user_version") == 13);
  CHECK(number(at / "target", "SELECT count(*) FROM pragma_integrity_check"
                              " WHERE integrity_check = 'ok'") == 1);
  CHECK(number(at / "target", "SELECT count(*) FROM pragma_foreign_key_check") == 0);
}

// --- Random files ---

// One of `many`, drawn.
class Draw {
public:
  explicit Draw(std::uint_fast32_t seed)
      : random_(seed) {}

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  bool chance(int percent) { return below(100) < percent; }

  double duration() { return std::uniform_real_distribution<double>(0.001, 9)(random_); }

private:
  std::mt19937 random_;
};

// A few tests with a few records each, of which every file has some.
class Universe {
public:
  explicit Universe(std::uint_fast32_t seed)
      : draw_(seed) {
    for (int test = 0; test < tests; ++test) {
      for (int record = 0; record < records; ++record) {
        records_[test].push_back(draw_.chance(15) ? placeholder : draw_record());
      }
    }
  }

  void write_file(const fs::path& file) {
    const int data_version = 12 + draw_.below(3);
    write(file, draw_environment(), draw_tests(), data_version);
    if (draw_.chance(50)) {
      const Environment environment = draw_environment();
      if (read(file).count(
              {environment.name, environment.system_packages, environment.python_version}) == 0) {
        write(file, environment, draw_tests());
      }
    }
    write_counter(file, "None:tests_saved", std::to_string(draw_.below(1000)));
  }

  // Half of all contents are on the disk.
  [[nodiscard]] static OnDisk disk(const std::string& file, std::string_view fsha) {
    return !fsha.empty() && (file.back() + fsha.back()) % 2 == 0 ? OnDisk::same : OnDisk::other;
  }

private:
  static constexpr int tests = 8;
  static constexpr int records = 3;

  Test draw_record() {
    Test test;
    test.duration = draw_.duration();
    test.failed = draw_.chance(20);
    for (int i = draw_.below(4); i >= 0; --i) {
      test.fingerprints.insert(
          {fmt::format("file_{}.py", draw_.below(4)),
           draw_.chance(10) ? std::nullopt : std::optional(std::to_string(draw_.below(20))),
           std::string(static_cast<std::size_t>(4 * draw_.below(3)), 'c')});
    }
    return test;
  }

  Environment draw_environment() {
    constexpr std::array versions{"3.11.7", "3.12.1"};
    return {draw_.chance(80) ? "default" : "other", draw_.chance(70) ? "a 1.0" : "a 2.0",
            versions.at(static_cast<std::size_t>(draw_.below(2)))};
  }

  Tests draw_tests() {
    Tests drawn;
    for (int test = 0; test < tests; ++test) {
      if (draw_.chance(70)) {
        Test record = records_[test].at(static_cast<std::size_t>(draw_.below(records)));
        if (record.duration && draw_.chance(50)) {
          record.forced = draw_.below(2);
        }
        drawn[fmt::format("test_{}", test)] = record;
      }
    }
    return drawn;
  }

  Draw draw_;
  std::map<int, std::vector<Test>> records_;
};

// What a merge of files whose content is known has to give, without SQLite and streams.
Test better(const Test& left, const Test& right, const Test* base) {
  const auto rank = [base](const Test& test) {
    const bool on_disk = std::all_of(
        test.fingerprints.begin(), test.fingerprints.end(), [](const Fingerprint& fingerprint) {
          return fingerprint.fsha &&
                 Universe::disk(fingerprint.filename, *fingerprint.fsha) == OnDisk::same;
        });
    const bool since = base == nullptr || test.duration != base->duration;
    return std::tuple(since, test.duration.has_value(), on_disk, test.failed,
                      test.forced.has_value(), test.forced, test.duration);
  };
  return rank(left) < rank(right) ? right : left;
}

Content expected(const std::vector<Content>& files, const Content* base) {
  Content result;
  for (const Content& file : files) {
    for (const auto& [environment, tests] : file) {
      const Tests* base_tests =
          base == nullptr || base->count(environment) == 0 ? nullptr : &base->at(environment);
      Tests& into = result[environment];
      for (const auto& [name, test] : tests) {
        const Test* base_test =
            base_tests == nullptr || base_tests->count(name) == 0 ? nullptr : &base_tests->at(name);
        const auto found = into.find(name);
        into[name] = found == into.end() ? test : better(found->second, test, base_test);
      }
    }
  }
  return result;
}

// The seed of this run: given, always the same in CI, otherwise another one each time.
std::uint_fast32_t chosen_seed() {
  // NOLINTBEGIN(concurrency-mt-unsafe): no other thread runs
  const char* given = std::getenv("TESTMON_PRECREATE_SEED");
  const bool in_ci = std::getenv("CI") != nullptr;
  // NOLINTEND(concurrency-mt-unsafe)
  if (given != nullptr) {
    return static_cast<std::uint_fast32_t>(std::stoul(given));
  }
  return in_ci ? 1 : std::random_device{}();
}

int chosen_rounds() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs
  const char* given = std::getenv("TESTMON_PRECREATE_ROUNDS");
  return given == nullptr ? 100 : std::stoi(given);
}

class Round {
public:
  explicit Round(std::uint_fast32_t seed) {
    Universe universe(seed);
    for (const char* name : {"a", "b", "c", "base"}) {
      universe.write_file(at() / name);
    }
  }

  // The content after merging files into a new one.
  Content merge_new(const std::string& target, const std::vector<std::string>& inputs, bool base) {
    run(target, inputs, base);
    return read(at() / target);
  }

  void run(const std::string& target, const std::vector<std::string>& inputs, bool base) {
    MergeRequest request = request_for(at() / target, {});
    for (const std::string& input : inputs) {
      request.inputs.push_back(at() / input);
    }
    request.disk = Universe::disk;
    if (base) {
      request.base = at() / "base";
    }
    static_cast<void>(datafile::merge(request));
  }

  [[nodiscard]] const fs::path& at() const { return directory_.path(); }

private:
  TemporaryDirectory directory_;
};

TEST_CASE("merge: idempotent, commutative and associative on random files") {
  const std::uint_fast32_t seed = chosen_seed();
  MESSAGE("TESTMON_PRECREATE_SEED=" << seed);
  for (int i = 0; i < chosen_rounds(); ++i) {
    const auto round_seed = seed + static_cast<std::uint_fast32_t>(i);
    CAPTURE(round_seed);
    Round round(round_seed);
    for (const bool base : {false, true}) {
      CAPTURE(base);
      const std::string suffix = base ? "-base" : "";
      const Content all = round.merge_new("abc" + suffix, {"a", "b", "c"}, base);
      const Content base_content = read(round.at() / "base");
      REQUIRE(all ==
              expected({read(round.at() / "a"), read(round.at() / "b"), read(round.at() / "c")},
                       base ? &base_content : nullptr));
      REQUIRE(round.merge_new("cba" + suffix, {"c", "b", "a"}, base) == all);
      round.run("ab" + suffix, {"b", "a"}, base);
      REQUIRE(round.merge_new("ab-c" + suffix, {"ab" + suffix, "c"}, base) == all);
      round.run("ab" + suffix, {"c"}, base); // into a file that is there
      REQUIRE(read(round.at() / ("ab" + suffix)) == all);
      const std::string counted = counter(round.at() / "abc", "None:tests_saved");
      round.run("abc" + suffix, {"a", "c", "b"}, base); // again
      REQUIRE(read(round.at() / ("abc" + suffix)) == all);
      if (!base) {
        REQUIRE(counter(round.at() / "abc", "None:tests_saved") == counted);
        REQUIRE(counter(round.at() / "cba", "None:tests_saved") == counted);
      }
    }
    REQUIRE(number(round.at() / "ab", "SELECT count(*) FROM pragma_foreign_key_check"
                                      " WHERE \"table\" <> 'suite_execution_file_fsha'") == 0);
    REQUIRE(number(round.at() / "abc", "SELECT count(*) FROM pragma_integrity_check"
                                       " WHERE integrity_check = 'ok'") == 1);
  }
}

} // namespace
