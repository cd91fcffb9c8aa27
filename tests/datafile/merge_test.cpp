#include "merge_sample.hpp"
#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/merge.hpp>
#include <testmon_precreate/datafile/parking.hpp>
#include <testmon_precreate/datafile/schema.hpp>
#include <testmon_precreate/datafile/snapshot.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
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
using testmon_precreate::tests::Content;
using testmon_precreate::tests::counter;
using testmon_precreate::tests::merge_request;
using testmon_precreate::tests::names_in;
using testmon_precreate::tests::number;
using testmon_precreate::tests::placeholder;
using testmon_precreate::tests::read;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::Test;
using testmon_precreate::tests::Tests;
using testmon_precreate::tests::write;
using testmon_precreate::tests::write_counter;
using testmon_precreate::util::Seconds;

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

// The tests of the usual environment.
Tests tests_in(const fs::path& file) {
  return read(file)[{usual.name, usual.system_packages, usual.python_version}];
}

MergeReport merge_into(const fs::path& target, std::vector<fs::path> inputs) {
  return datafile::merge(merge_request(target, std::move(inputs)));
}

// What remains of two records of one test, merged in both orders.
Test merged(const Test& left, const Test& right, const std::optional<Test>& base = std::nullopt,
            const std::string& fsha_on_disk = "") {
  const TemporaryDirectory directory;
  const fs::path& at = directory.path();
  write(at / "left", usual, {{"test_a.py::test", left}});
  write(at / "right", usual, {{"test_a.py::test", right}});
  MergeRequest request = merge_request(at / "merged", {at / "left", at / "right"});
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
    CHECK(merged(placeholder(), older) == older);
    CHECK(merged(placeholder(), old(failure(older))) == failure(older));
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
  MergeRequest request = merge_request(at / "original", {at / "copy"});
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
    MergeRequest request = merge_request(at / "original", {at / "copy"});
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
  MergeRequest request = merge_request(at / "target", {at / "one"});
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
    MergeRequest request = merge_request(at / "target", {at / "one"});
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
    MergeRequest request = merge_request(at / "target", {at / "first", at / "second"});
    request.base = at / "target";
    CHECK(datafile::merge(request).inputs.back().newer == 1);
    CHECK(content() == with(now, passed(2.5)));
    SQLite::Database database(at / "target", SQLite::OPEN_READONLY);
    const auto rows = datafile::EnvironmentTable(database).all();
    CHECK(rows.front().environment.own_distributions == "app 77");
  }
  SUBCASE("a base elsewhere is known, too") {
    MergeRequest request = merge_request(at / "new", {at / "first", at / "second"});
    request.base = at / "target";
    static_cast<void>(datafile::merge(request));
    CHECK(read(at / "new") == with(now, passed(2.5)));
  }
  SUBCASE("a file of a run without the plugin has the note of one with it") {
    fs::remove(at / "first");
    write(at / "first", {"default", "a 1.0, app 1.1", "3.11.7"},
          {{"test_a.py::test", old(failure(passed(1.5)))}});
    MergeRequest request = merge_request(at / "target", {at / "first", at / "second"});
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
  MergeRequest request = merge_request(at / "merged", {at / "one", at / "two", at / "apart"});
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
    MergeRequest request = merge_request(at / "target", {at / "good", at / name});
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
  MergeRequest request = merge_request(at / "target", {at / "empty"});
  request.skip_bad_inputs = true;
  CHECK(contains(error_of(request), "1 of 1 files cannot be merged"));
  CHECK(contains(error_of(merge_request(at / "target", {at / "empty", at / "text"})), "2 of 2"));
  request = merge_request(at / "target", {at / "good"});
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
    MergeRequest request = merge_request(at / "merged", {at / "good", at / "damaged"});
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
  MergeRequest request = merge_request(at / "new", {at / "ours", at / "nothing", at / "theirs"});
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
  write(at / "two", usual, {{"a::t", placeholder()}, {"b::t", passed(3.5)}, {"c::t", passed(4.5)}});
  MergeRequest request = merge_request(at / "target", {at / "one", at / "two"});
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

} // namespace
