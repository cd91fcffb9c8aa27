#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/datafile/management.hpp>
#include <testmon_precreate/datafile/parking.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <utility>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
namespace core = testmon_precreate::core;
using datafile::Environment;
using datafile::EnvironmentAction;
using datafile::EnvironmentRow;
using testmon_precreate::tests::add_tests;
using testmon_precreate::tests::content_of;
using testmon_precreate::tests::number;
using testmon_precreate::tests::request_for;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::visible_ids;
using testmon_precreate::util::Seconds;

constexpr Seconds timeout{5};

std::vector<std::int64_t> parked_ids(const fs::path& file) {
  std::vector<std::int64_t> ids;
  for (const auto& listed : datafile::list_environments(file, timeout)) {
    if (listed.row.parked) {
      ids.push_back(listed.row.id);
    }
  }
  return ids;
}

datafile::PreparedDatafile prepare(const fs::path& file, const std::string& packages,
                                   std::size_t keep = 4) {
  auto request = request_for(file, packages);
  request.keep_environments = keep;
  return datafile::prepare_datafile(request);
}

// What a stock testmon does that finds another row: one more of the same name.
void insert_row(const fs::path& file, const std::string& packages) {
  SQLite::Database database(file, SQLite::OPEN_READWRITE);
  const Environment environment{"default", packages, "3.11.7"};
  datafile::EnvironmentTable(database).insert(environment);
}

TEST_SUITE("datafile/parking") {
  TEST_CASE("the plan takes a visible match before a parked one, and parks all others") {
    const Environment wanted{"default", "a 1.0", "3.11.7"};
    const Environment other{"default", "a 2.0", "3.11.7"};
    const auto plan = [&](std::vector<EnvironmentRow> rows) {
      return datafile::make_parking_plan(rows, wanted);
    };
    CHECK_FALSE(plan({}).matching);
    CHECK_FALSE(plan({}).packages_changed);
    CHECK(plan({{1, wanted, false}}).nothing_to_do());
    CHECK(plan({{1, wanted, false}, {2, other, true}}).nothing_to_do());

    const auto restored = plan({{1, wanted, true}, {2, other, false}, {3, other, false}});
    CHECK(restored.matching == 1);
    CHECK(restored.restore);
    CHECK(restored.packages_changed);
    CHECK(restored.park == std::vector<std::int64_t>{2, 3});

    const auto both = plan({{1, wanted, true}, {2, wanted, false}, {3, other, false}});
    CHECK(both.matching == 2);
    CHECK_FALSE(both.restore);
    CHECK_FALSE(both.packages_changed);
    CHECK(both.park == std::vector<std::int64_t>{3});
    const auto other_order = plan({{1, wanted, false}, {2, wanted, true}});
    CHECK(other_order.matching == 1);
    CHECK_FALSE(other_order.restore);
  }

  TEST_CASE("a test's data stays with its environment, byte for byte") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    const auto id = prepare(file, "a 1.0").environment_id;
    add_tests(file, id, 3);
    const std::string before = content_of(file);
    prepare(file, "a 2.0");
    CHECK(number(file, "SELECT count(*) FROM test_execution WHERE environment_id = 1") == 3);
    prepare(file, "a 1.0");
    datafile::prune_environments(file, std::nullopt, 0, timeout);
    CHECK(content_of(file) == before);
  }

  TEST_CASE("no name that testmon can look for finds a parked row") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    const std::vector<std::string> names = {
        "default", "X'64656661756c74'",    "b'default'", "",
        "42",      std::string("a\0b", 3), "\xc3\xa9",   "default\n"};
    for (const std::string& name : names) {
      auto request = request_for(file, "a 1.0");
      request.environment.name = name;
      static_cast<void>(datafile::prepare_datafile(request));
      request.environment.system_packages = "a 2.0";
      const auto second = datafile::prepare_datafile(request);
      CHECK(second.parked_environments == 1);
      CHECK(visible_ids(file, name) == std::vector{second.environment_id});
    }
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(visible_ids(file, name).size() == 1);
      auto request = request_for(file, "a 1.0");
      request.environment.name = name;
      CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::restored);
      CHECK(visible_ids(file, name).size() == 1);
    }
  }

  TEST_CASE("other names and versions of Python are kept apart") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    const auto first = prepare(file, "a 1.0");
    auto request = request_for(file, "a 1.0");
    request.environment.name = "other";
    const auto other = datafile::prepare_datafile(request);
    CHECK(other.action == EnvironmentAction::created);
    CHECK_FALSE(other.packages_changed);
    request.environment.name = "default";
    request.environment.python_version = "3.12.1";
    CHECK(datafile::prepare_datafile(request).parked_environments == 1);
    CHECK(visible_ids(file, "other") == std::vector{other.environment_id});
    CHECK(prepare(file, "a 1.0").environment_id == first.environment_id);
  }

  TEST_CASE("the least recently used go first, with all that is theirs alone") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    for (const char* packages : {"a 1.0", "a 2.0", "a 3.0"}) {
      add_tests(file, prepare(file, packages).environment_id, 2);
    }
    prepare(file, "a 1.0"); // 3 is parked, 2 was before
    CHECK(parked_ids(file) == std::vector<std::int64_t>{2, 3});
    const auto prepared = prepare(file, "a 4.0", 2); // 1 is parked, and 2 goes
    CHECK(prepared.parked_environments == 2);
    CHECK(parked_ids(file) == std::vector<std::int64_t>{1, 3});
    CHECK(number(file, "SELECT count(*) FROM test_execution") == 4);
    CHECK(number(file, "SELECT count(*) FROM test_execution WHERE environment_id = 2") == 0);
    CHECK(number(file, "SELECT count(*) FROM test_execution_file_fp") == 8);
    CHECK(number(file, "SELECT count(*) FROM file_fp") == 5); // the shared one is still needed
    CHECK(number(file, "SELECT count(*) FROM metadata") == 2);
  }

  TEST_CASE("keeping none deletes what would be parked") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    add_tests(file, prepare(file, "a 1.0").environment_id, 2);
    CHECK(prepare(file, "a 2.0", 0).parked_environments == 0);
    CHECK(number(file, "SELECT count(*) FROM file_fp") == 0);
    CHECK(number(file, "SELECT count(*) FROM metadata") == 0);
  }

  TEST_CASE("a smaller number of kept ones counts at once, also where the row matches") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    prepare(file, "a 1.0");
    prepare(file, "a 2.0");
    prepare(file, "a 3.0");
    CHECK(prepare(file, "a 3.0", 1).parked_environments == 1);
    CHECK(parked_ids(file) == std::vector<std::int64_t>{2});
  }

  TEST_CASE("stale rows of one name are parked together, the younger one stays longer") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    prepare(file, "a 1.0");
    insert_row(file, "a 2.0");
    insert_row(file, "a 3.0");
    auto request = request_for(file, "a 2.0");
    request.dry_run = true;
    const auto planned = datafile::prepare_datafile(request);
    CHECK(planned.environment_id == 2);
    CHECK(planned.parked_environments == 2);
    CHECK(parked_ids(file).empty());
    const auto prepared = prepare(file, "a 2.0");
    CHECK(prepared.action == EnvironmentAction::reused);
    CHECK(prepared.environment_id == 2);
    CHECK(prepared.parked_environments == 2);
    datafile::prune_environments(file, "default", 1, timeout);
    CHECK(parked_ids(file) == std::vector<std::int64_t>{3});
  }

  TEST_CASE("a parked row gives way to a younger one of the same values") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    add_tests(file, prepare(file, "a 1.0").environment_id, 2);
    prepare(file, "a 2.0");
    insert_row(file, "a 1.0"); // a run without us, with the old packages
    CHECK_THROWS_WITH_AS(datafile::restore_environment(file, 1, timeout),
                         doctest::Contains("environment 3 has the same packages"),
                         core::UsageError);
    const auto prepared = prepare(file, "a 4.0");
    CHECK(prepared.parked_environments == 2);
    CHECK(parked_ids(file) == std::vector<std::int64_t>{2, 3});
    CHECK(number(file, "SELECT count(*) FROM test_execution") == 0);
  }

  TEST_CASE("environments are steered by hand") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    CHECK(datafile::list_environments(file, timeout).empty());
    CHECK_THROWS_AS(datafile::restore_environment(file, 1, timeout), core::DatabaseError);
    add_tests(file, prepare(file, "a 1.0").environment_id, 3);
    prepare(file, "a 2.0");
    const auto listed = datafile::list_environments(file, timeout);
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].row.parked);
    CHECK(listed[0].tests == 3);
    CHECK(listed[0].parked_at.count() > 1.6e9);
    CHECK(listed[1].parked_at.count() == 0);

    CHECK(datafile::restore_environment(file, 1, timeout));
    CHECK_FALSE(datafile::restore_environment(file, 1, timeout));
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{1});
    CHECK_THROWS_AS(datafile::restore_environment(file, 9, timeout), core::UsageError);
    const std::vector<std::int64_t> both{1, 2, 1};
    CHECK(datafile::park_environments(file, both, timeout) == 1);
    CHECK(visible_ids(file, "default").empty());
    CHECK(datafile::prune_environments(file, "other", 0, timeout) == 0);
    CHECK(datafile::prune_environments(file, std::nullopt, 1, timeout) == 1);
    CHECK(parked_ids(file) == std::vector<std::int64_t>{1});
  }

  TEST_CASE("a dry run tells what would be done and does none of it") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    auto request = request_for(file, "a 1.0");
    request.dry_run = true;
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::created);
    CHECK_FALSE(fs::exists(file));
    prepare(file, "a 1.0");
    request.environment.system_packages = "a 2.0";
    request.data_version = 14;
    const auto planned = datafile::prepare_datafile(request);
    CHECK(planned.action == EnvironmentAction::created);
    CHECK(planned.environment_id == 0);
    CHECK(planned.packages_changed);
    CHECK(planned.parked_environments == 1);
    CHECK(planned.upgraded_from == 13);
    prepare(file, "a 2.0");
    request.environment.system_packages = "a 1.0";
    const auto restored = datafile::prepare_datafile(request);
    CHECK(restored.action == EnvironmentAction::restored);
    CHECK(restored.parked_environments == 1);
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{2});
    CHECK(number(file, "PRAGMA user_version") == 13);
  }

  TEST_CASE("rows that differ in the own distribution's version stand for the same environment") {
    const auto environment = [](std::string packages, std::string own = {}) {
      return Environment{"default", std::move(packages), "3.11.7", std::move(own)};
    };
    const Environment wanted = environment("a 1, own 2.1, z 3", "own 77");
    CHECK(datafile::stands_for(environment("a 1, own 2.1, z 3"), wanted));
    CHECK(datafile::stands_for(environment("a 1, own 2.0.dev3, z 3"), wanted));
    CHECK(datafile::stands_for(environment("a 1, own 2.0, z 3", "own 77"), wanted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, own 2.0, z 3", "own 78"), wanted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, own 2.1, z 3", "own 78"), wanted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, z 3"), wanted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, own 2.1, z 4"), wanted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, own 2.1, own-part 1, z 3"), wanted));
    CHECK_FALSE(datafile::stands_for({"default", "a 1, own 2.1, z 3", "3.11.8"}, wanted));
    CHECK_FALSE(datafile::stands_for({"other", "a 1, own 2.1, z 3", "3.11.7"}, wanted));
    const Environment counted = environment("a 1, own 2.1, z 3"); // its version is a dependency
    CHECK(datafile::stands_for(environment("a 1, own 2.1, z 3", "own 77"), counted));
    CHECK_FALSE(datafile::stands_for(environment("a 1, own 2.0, z 3", "own 77"), counted));
  }

  TEST_CASE("a row of another version of the own distribution is taken over with its tests") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    const auto prepare_own = [&](const std::string& version, const std::string& own) {
      auto request = request_for(file, "a 1, own " + version);
      request.environment.own_distributions = own;
      return datafile::prepare_datafile(request);
    };
    prepare(file, "a 1, own 1.0"); // as stock testmon, or an older version of this program
    add_tests(file, 1, 3);
    for (const char* version : {"1.0", "1.1", "1.2.dev3+g12ab"}) {
      const auto taken = prepare_own(version, "own 77");
      CHECK(taken.environment_id == 1);
      CHECK(taken.action == EnvironmentAction::reused);
      CHECK_FALSE(taken.packages_changed);
      CHECK(taken.parked_environments == 0);
      CHECK(datafile::list_environments(file, timeout).front().row.environment.system_packages ==
            fmt::format("a 1, own {}", version));
    }
    CHECK(number(file, "SELECT count(*) FROM test_execution") == 3);
    // What else counts has changed, with the version or without: both ways and back.
    CHECK(prepare_own("1.3", "own 78").action == EnvironmentAction::created);
    CHECK(prepare_own("1.4", "own 77").action == EnvironmentAction::restored);
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{1});
    CHECK(prepare_own("1.4", "own 79").action == EnvironmentAction::created);
    for (const char* own : {"own 77", "own 79", "own 77"}) {
      const auto restored = prepare_own("1.4", own);
      CHECK(restored.action == EnvironmentAction::restored);
      CHECK(restored.parked_environments == 2);
    }
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{1});
    CHECK(number(file, "SELECT count(*) FROM test_execution WHERE environment_id = 1") == 3);
  }

  TEST_CASE(
      "of several rows that could be taken over, the newest visible one is; notes go with rows") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    prepare(file, "own 1.0");
    insert_row(file, "own 1.1"); // as testmon 2.1 does for each version
    insert_row(file, "own 1.2");
    auto request = request_for(file, "own 1.3");
    request.environment.own_distributions = "own 77";
    request.keep_environments = 0;
    CHECK(datafile::prepare_datafile(request).environment_id == 3);
    CHECK(visible_ids(file, "default") == std::vector<std::int64_t>{3});
    constexpr const char* notes =
        "SELECT count(*) FROM metadata WHERE dataid LIKE 'testmon-precreate:own:%'";
    CHECK(number(file, notes) == 1);
    request.environment.system_packages = "b 1";
    request.environment.own_distributions = "";
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::created);
    CHECK(number(file, notes) == 0);
  }

  TEST_CASE("a note of a row that testmon has replaced does not count") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    auto request = request_for(file, "own 1.0");
    request.environment.own_distributions = "own 77";
    CHECK(datafile::prepare_datafile(request).file_created);
    {
      SQLite::Database database(file, SQLite::OPEN_READWRITE);
      database.exec("UPDATE environment SET system_packages = 'own 1.1'");
    }
    request.environment.own_distributions = "own 78";
    request.environment.system_packages = "own 1.2";
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::reused);
    request.environment.own_distributions = "own 79";
    CHECK(datafile::prepare_datafile(request).action == EnvironmentAction::created);
  }

  TEST_CASE("rows go in one after another") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "data";
    prepare(file, "a 1.0");
    SQLite::Database database(file, SQLite::OPEN_READWRITE);
    datafile::EnvironmentTable table(database);
    CHECK(table.insert({"x", "a", "3.8.18"}) == 2);
    CHECK(table.insert({"y", "b", "3.9.18"}) == 3);
  }
}

} // namespace
