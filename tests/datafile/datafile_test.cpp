#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/datafile/datafile.hpp>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
using datafile::EnvironmentAction;
using testmon_precreate::tests::TemporaryDirectory;

using testmon_precreate::tests::request_for;
using testmon_precreate::tests::visible_ids;

TEST_SUITE("datafile/datafile") {
  TEST_CASE("a new file is complete, and its row is found again") {
    const TemporaryDirectory directory;
    const auto request = request_for(directory.path() / ".testmondata", "a 1.0, b 2.0");
    const auto created = datafile::prepare_datafile(request);
    CHECK(created.file_created);
    CHECK(created.action == EnvironmentAction::created);
    CHECK_FALSE(created.packages_changed);
    const auto reused = datafile::prepare_datafile(request);
    CHECK_FALSE(reused.file_created);
    CHECK(reused.action == EnvironmentAction::reused);
    CHECK(reused.environment_id == created.environment_id);
    CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == 1);
  }

  TEST_CASE("the row that no longer matches is parked and comes back") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / ".testmondata";
    const auto first = datafile::prepare_datafile(request_for(file, "a 1.0"));
    const auto second = datafile::prepare_datafile(request_for(file, "a 1.0, b 2.0"));
    CHECK(second.action == EnvironmentAction::created);
    CHECK(second.packages_changed);
    CHECK(second.parked_environments == 1);
    CHECK(visible_ids(file, "default") == std::vector{second.environment_id});
    const auto third = datafile::prepare_datafile(request_for(file, "a 1.0"));
    CHECK(third.action == EnvironmentAction::restored);
    CHECK(third.packages_changed);
    CHECK(third.environment_id == first.environment_id);
    CHECK(third.parked_environments == 1);
    CHECK(visible_ids(file, "default") == std::vector{first.environment_id});
  }

  TEST_CASE("a file that is not in WAL mode is put into it, and keeps its rows") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / ".testmondata";
    const auto request = request_for(file, "a 1.0");
    static_cast<void>(datafile::prepare_datafile(request));
    const auto mode = [&file](const char* pragma) {
      return SQLite::Database(file, SQLite::OPEN_READWRITE).execAndGet(pragma).getString();
    };
    REQUIRE(mode("PRAGMA journal_mode = DELETE") == "delete");
    auto dry = request;
    dry.dry_run = true;
    CHECK(datafile::prepare_datafile(dry).action == EnvironmentAction::reused);
    CHECK(mode("PRAGMA journal_mode") == "delete");
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::reused);
    CHECK(mode("PRAGMA journal_mode") == "wal");
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{1});
  }

  TEST_CASE("what URIs give a meaning to is only a letter in a path") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "50% off? #1 & more" / ".testmondata";
    fs::create_directories(file.parent_path());
    static_cast<void>(datafile::prepare_datafile(request_for(file, "a 1.0")));
    CHECK(datafile::prepare_datafile(request_for(file, "a 1.0")).action ==
          EnvironmentAction::reused);
    CHECK(datafile::prepare_datafile(request_for(file, "a 2.0")).parked_environments == 1);
    CHECK(std::distance(fs::directory_iterator(file.parent_path()), {}) == 1);
  }

  TEST_CASE("folding the log in leaves the file alone") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / ".testmondata";
    datafile::truncate_wal(file, testmon_precreate::util::Seconds(1));
    CHECK_FALSE(fs::exists(file));
    static_cast<void>(datafile::prepare_datafile(request_for(file, "a 1.0")));
    const SQLite::Database keeps_log(file, SQLite::OPEN_READWRITE);
    keeps_log.tableExists("metadata");
    static_cast<void>(datafile::prepare_datafile(request_for(file, "b 1.0")));
    CHECK(fs::file_size(file.string() + "-wal") > 0);
    datafile::truncate_wal(file, testmon_precreate::util::Seconds(1));
    CHECK(fs::file_size(file.string() + "-wal") == 0);
  }
}

} // namespace
