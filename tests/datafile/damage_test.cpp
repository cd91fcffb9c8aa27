#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/management.hpp>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
namespace core = testmon_precreate::core;
using datafile::EnvironmentAction;
using testmon_precreate::tests::add_tests;
using testmon_precreate::tests::bytes_of;
using testmon_precreate::tests::content_of;
using testmon_precreate::tests::names_in;
using testmon_precreate::tests::number;
using testmon_precreate::tests::request_for;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::visible_ids;
using testmon_precreate::util::Seconds;

fs::path make_file(const fs::path& directory) {
  const fs::path file = directory / ".testmondata";
  add_tests(file, datafile::prepare_datafile(request_for(file, "a 1.0")).environment_id, 10);
  return file;
}

void overwrite(const fs::path& file, std::streamoff offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(offset);
  stream << bytes;
}

// Lets the request's warnings be collected.
std::shared_ptr<std::vector<std::string>> collect_warnings(datafile::DatafileRequest& request) {
  auto warnings = std::make_shared<std::vector<std::string>>();
  request.warn = [warnings](const std::string& text) { warnings->push_back(text); };
  return warnings;
}

// Leaves a log with one committed row behind, as a process does that was killed.
void leave_hot_log(const fs::path& file) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  database.exec("INSERT INTO metadata VALUES ('of the log', 'kept')");
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::DatabaseError& error) {
    CHECK(error.exit_code() == core::ExitCode::database);
    return error.what();
  }
  return "no error";
}

// What `prepare` says; the directory must be byte for byte as before.
std::string refusal(const datafile::DatafileRequest& request) {
  const fs::path directory = request.file.parent_path();
  const auto names = names_in(directory);
  std::vector<std::string> before;
  for (const std::string& name : names) {
    before.push_back(bytes_of(directory / name));
  }
  const std::string message =
      message_of([&] { static_cast<void>(datafile::prepare_datafile(request)); });
  CHECK(names_in(directory) == names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK((bytes_of(directory / names[i]) == before[i]));
  }
  return message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("datafile/damage") {
  TEST_CASE("a file that is no database is refused, and moved aside on demand") {
    const TemporaryDirectory directory;
    const fs::path file = directory.write(".testmondata", std::string(5000, 'x'));
    auto request = request_for(file, "a 1.0");
    CHECK(contains(refusal(request), "not an SQLite database"));
    CHECK(contains(
        message_of([&] { static_cast<void>(datafile::list_environments(file, Seconds(1))); }),
        "not an SQLite database"));
    request.rebuild = true;
    const auto warnings = collect_warnings(request);
    const auto prepared = datafile::prepare_datafile(request);
    CHECK(prepared.file_created);
    REQUIRE(warnings->size() == 1);
    CHECK(contains(warnings->front(), ".testmondata.damaged-1"));
    CHECK(bytes_of(directory.path() / ".testmondata.damaged-1") == std::string(5000, 'x'));
  }

  TEST_CASE("nothing moved aside is ever overwritten") {
    const TemporaryDirectory directory;
    for (const std::string content : {"first", "second", "third"}) {
      auto request = request_for(directory.write(".testmondata", content), "a 1.0");
      request.rebuild = true;
      static_cast<void>(datafile::prepare_datafile(request));
    }
    CHECK(bytes_of(directory.path() / ".testmondata.damaged-1") == "first");
    CHECK(bytes_of(directory.path() / ".testmondata.damaged-2") == "second");
    CHECK(bytes_of(directory.path() / ".testmondata.damaged-3") == "third");
  }

  TEST_CASE("a truncated file is refused") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    const auto size = fs::file_size(file);
    for (const std::uintmax_t left : {size - 1, size / 2, std::uintmax_t{4096}}) {
      fs::resize_file(file, left);
      CHECK(contains(refusal(request_for(file, "a 1.0")), "truncated"));
    }
    fs::resize_file(file, 50);
    CHECK(contains(refusal(request_for(file, "a 1.0")), "not an SQLite database"));
  }

  TEST_CASE("a flipped page that prepare reads is refused, any other one by --rebuild") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    const std::string whole = bytes_of(file);
    constexpr std::streamoff page = 4096;
    const auto pages = static_cast<std::streamoff>(whole.size()) / page;
    int refused = 0;
    for (std::streamoff i = 0; i < pages; ++i) {
      CAPTURE(i);
      // The first page's header stays: without it the file is no database at all.
      overwrite(file, i * page + (i == 0 ? 100 : 0), std::string(200, '\xff'));
      auto request = request_for(file, "b 1.0");
      request.dry_run = true;
      const std::string message = refusal(request);
      refused += contains(message, "corrupt") ? 1 : 0;
      CHECK((message == "no error" || contains(message, "corrupt")));
      request.rebuild = true;
      const auto warnings = collect_warnings(request);
      const auto prepared = datafile::prepare_datafile(request);
      CHECK(prepared.file_created);
      CHECK(warnings->size() == 1);
      std::ofstream(file, std::ios::binary) << whole;
    }
    CHECK(refused >= 2); // the schema, the index of the environments
  }

  TEST_CASE("a sound file is not moved aside") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    auto request = request_for(file, "a 1.0");
    request.rebuild = true;
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::reused);
    CHECK(names_in(directory.path()) == std::vector<std::string>{".testmondata"});
  }

  TEST_CASE("a rebuild that is only tried moves nothing") {
    const TemporaryDirectory directory;
    auto request = request_for(directory.write(".testmondata", "no database"), "a 1.0");
    request.rebuild = true;
    request.dry_run = true;
    const auto warnings = collect_warnings(request);
    const auto prepared = datafile::prepare_datafile(request);
    CHECK(prepared.file_created);
    CHECK(contains(warnings->at(0), "would be moved aside"));
    CHECK(bytes_of(request.file) == "no database");
  }

  TEST_CASE("an unknown data version is refused, also where only the log knows of it") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    SQLite::Database(file, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 15");
    CHECK(contains(refusal(request_for(file, "a 1.0")), "unknown data version 15"));
    {
      SQLite::Database database(file, SQLite::OPEN_READWRITE);
      sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      database.exec("PRAGMA user_version = 11");
    }
    CHECK(contains(refusal(request_for(file, "a 1.0")), "unknown data version 11"));
  }

  TEST_CASE("another program's database is refused") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / ".testmondata";
    SQLite::Database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE notes (text); PRAGMA user_version = 13");
    CHECK(contains(refusal(request_for(file, "a 1.0")), "is not testmon's"));
  }

  TEST_CASE("an empty file, and a database without tables, are filled in place") {
    for (const bool database : {false, true}) {
      const TemporaryDirectory directory;
      const fs::path file = directory.write(".testmondata");
      if (database) {
        SQLite::Database(file, SQLite::OPEN_READWRITE).exec("PRAGMA journal_mode = WAL");
        CHECK(fs::file_size(file) > 0);
      }
      auto request = request_for(file, "a 1.0");
      request.dry_run = true;
      CHECK(datafile::prepare_datafile(request).file_created);
      request.dry_run = false;
      const auto prepared = datafile::prepare_datafile(request);
      CHECK(prepared.file_created);
      CHECK(visible_ids(file, "default") == std::vector{prepared.environment_id});
      CHECK(number(file, "PRAGMA user_version") == 13);
      CHECK(SQLite::Database(file).execAndGet("PRAGMA journal_mode").getString() == "wal");
    }
  }

  TEST_CASE("a log that a killed process left is read by everyone and folded in by prepare") {
    for (const bool with_index : {true, false}) {
      CAPTURE(with_index);
      const TemporaryDirectory directory;
      const fs::path file = make_file(directory.path());
      leave_hot_log(file);
      if (!with_index) {
        fs::remove(datafile::shm_path(file));
      }
      const auto names = names_in(directory.path());
      const std::string before = bytes_of(file);
      auto request = request_for(file, "a 1.0");
      request.dry_run = true;
      CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::reused);
      CHECK(datafile::list_environments(file, Seconds(1)).size() == 1);
      CHECK(names_in(directory.path()) == names);
      CHECK(bytes_of(file) == before);
      request.dry_run = false;
      request.environment.system_packages = "a 2.0";
      CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::created);
      CHECK(number(file, "SELECT count(*) FROM metadata WHERE dataid = 'of the log'") == 1);
      CHECK(names_in(directory.path()) == std::vector<std::string>{".testmondata"});
    }
  }

  TEST_CASE("the log of a file that is gone is never believed") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    leave_hot_log(file);
    fs::remove(file);
    fs::remove(datafile::shm_path(file));
    auto request = request_for(file, "a 1.0");
    CHECK(contains(refusal(request), "left over from a data file that is gone"));
    const std::string log = bytes_of(datafile::wal_path(file));
    request.rebuild = true;
    const auto prepared = datafile::prepare_datafile(request);
    CHECK(prepared.file_created);
    CHECK(number(file, "SELECT count(*) FROM metadata") == 0);
    CHECK((bytes_of(directory.path() / ".testmondata.damaged-1-wal") == log));
  }

  TEST_CASE("a damaged file takes its log along") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    leave_hot_log(file);
    overwrite(file, 0, "no database");
    auto request = request_for(file, "a 1.0");
    request.rebuild = true;
    static_cast<void>(datafile::prepare_datafile(request));
    CHECK(names_in(directory.path()) == std::vector<std::string>{".testmondata",
                                                                 ".testmondata.damaged-1",
                                                                 ".testmondata.damaged-1-wal"});
  }

  TEST_CASE("a locked file is waited for, then refused") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    SQLite::Database other(file, SQLite::OPEN_READWRITE);
    SQLite::Transaction lock(other, SQLite::TransactionBehavior::IMMEDIATE);
    auto request = request_for(file, "a 2.0");
    request.busy_timeout = Seconds(0.3);
    const auto start = std::chrono::steady_clock::now();
    const std::string message =
        message_of([&] { static_cast<void>(datafile::prepare_datafile(request)); });
    CHECK(contains(message, "is locked by"));
    CHECK(contains(message, "waited 0."));
    const Seconds waited = std::chrono::steady_clock::now() - start;
    CHECK(waited.count() >= 0.25);
    CHECK(waited.count() < 20);
    // Nothing has to be written for a row that matches.
    CHECK(datafile::prepare_datafile(request_for(file, "a 1.0")).action ==
          EnvironmentAction::reused);
  }

  TEST_CASE("a log that is being read cannot be folded in") {
    const TemporaryDirectory directory;
    const fs::path file = make_file(directory.path());
    SQLite::Database other(file, SQLite::OPEN_READWRITE);
    other.exec("INSERT INTO metadata VALUES ('x', '1')");
    {
      SQLite::Transaction reading(other, SQLite::TransactionBehavior::DEFERRED);
      CHECK(other.execAndGet("SELECT count(*) FROM metadata").getInt() == 1);
      CHECK(contains(message_of([&] { datafile::truncate_wal(file, Seconds(0.1)); }), "locked by"));
    }
    datafile::truncate_wal(file, Seconds(0.1));
    CHECK(fs::file_size(datafile::wal_path(file)) == 0);
  }

  TEST_CASE("a symbolic link is followed, and stays one") {
    const TemporaryDirectory directory;
    fs::create_directories(directory.path() / "cache");
    fs::create_directories(directory.path() / "project");
    const fs::path target = directory.path() / "cache" / "data";
    const fs::path link = directory.path() / "project" / ".testmondata";
    fs::create_symlink("../cache/data", link);
    CHECK(datafile::prepare_datafile(request_for(link, "a 1.0")).file_created);
    CHECK(fs::is_symlink(link));
    CHECK(datafile::prepare_datafile(request_for(link, "a 2.0")).parked_environments == 1);
    CHECK(visible_ids(target, "default").size() == 1);
    CHECK(names_in(directory.path() / "project") == std::vector<std::string>{".testmondata"});
    overwrite(target, 0, "no database");
    auto request = request_for(link, "a 1.0");
    request.rebuild = true;
    static_cast<void>(datafile::prepare_datafile(request));
    CHECK(fs::is_symlink(link));
    CHECK(names_in(directory.path() / "cache") ==
          std::vector<std::string>{"data", "data.damaged-1"});
  }

  TEST_CASE("a loop of links, and a directory, are errors of the data file") {
    const TemporaryDirectory directory;
    const fs::path link = directory.path() / ".testmondata";
    fs::create_symlink(".testmondata", link);
    CHECK(contains(message_of([&] {
                     static_cast<void>(datafile::prepare_datafile(request_for(link, "a 1.0")));
                   }),
                   "symbolic links"));
    CHECK(contains(message_of([&] {
                     static_cast<void>(
                         datafile::prepare_datafile(request_for(directory.path(), "a 1.0")));
                   }),
                   "directory"));
    CHECK(contains(message_of([&] {
                     static_cast<void>(datafile::prepare_datafile(
                         request_for(directory.path() / "absent" / "file", "a 1.0")));
                   }),
                   "No such file or directory"));
  }

  TEST_CASE("SQLite's errors say what they mean") {
    const auto text = [](int code) {
      return message_of([code] {
        datafile::throw_translated(SQLite::Exception("in SQLite's words", code), "f", Seconds(1));
      });
    };
    CHECK(contains(text(SQLITE_FULL), "the disk is full (f). The data file is unchanged"));
    CHECK(contains(text(SQLITE_CORRUPT), "corrupt"));
    CHECK(contains(text(SQLITE_NOTADB), "not an SQLite database"));
    CHECK(contains(text(SQLITE_READONLY), "cannot be written: in SQLite's words"));
    CHECK(contains(text(SQLITE_CANTOPEN), "cannot be opened"));
    CHECK(contains(text(SQLITE_IOERR), "SQLite reports: in SQLite's words"));
    CHECK(contains(text(SQLITE_BUSY), "locked by another process (waited 1.0 s)"));
  }
}

} // namespace
