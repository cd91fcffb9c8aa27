#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

namespace core = testmon_precreate::core;
using testmon_precreate::util::ProcessEnvironment;

core::Settings settings_with(const std::string& name, const std::string& value) {
  return core::read_settings(ProcessEnvironment(std::map<std::string, std::string>{{name, value}}));
}

TEST_SUITE("core/settings") {
  TEST_CASE("without variables the documented defaults hold") {
    const core::Settings settings = core::read_settings(ProcessEnvironment{});
    CHECK(settings.enabled);
    CHECK_FALSE(settings.debug);
    CHECK(settings.worker_timeout.count() == 30);
    CHECK(settings.check_interval.count() == 0.1);
    CHECK(settings.backoff_factor == 1.5);
    CHECK(settings.max_interval.count() == 2.0);
    CHECK(settings.state_max_age.count() == 300);
    CHECK(settings.datafile_path() == ".testmondata");
    CHECK(settings.directory_path() == ".testmon_xdist");
    CHECK_FALSE(settings.datafile.has_value());
    CHECK_FALSE(settings.worker_id.has_value());
    CHECK_FALSE(settings.run_uid.has_value());
  }

  TEST_CASE("the coordination directory lies beside the data file unless it is named") {
    const auto directory_for = [](const char* datafile) {
      return settings_with("TESTMON_DATAFILE", datafile).directory_path().string();
    };
    CHECK(directory_for(".testmondata") == ".testmon_xdist");
    CHECK(directory_for(".testmondata-py311") == ".testmon_xdist-.testmondata-py311");
    CHECK(directory_for("sub/.testmondata") == "sub/.testmon_xdist");
    CHECK(directory_for("/cache/data") == "/cache/.testmon_xdist-data");
    CHECK(settings_with("TESTMON_XDIST_DIR", "/x/y/").directory_path() == "/x/y");
  }

  TEST_CASE("booleans in every spelling") {
    for (const char* yes : {"1", "true", "YES", "On", " true "}) {
      CHECK(settings_with("TESTMON_XDIST_DEBUG", yes).debug);
    }
    for (const char* no : {"0", "False", "no", "OFF"}) {
      CHECK_FALSE(settings_with("TESTMON_XDIST_CONTROLLER_PRECREATION", no).enabled);
    }
  }

  TEST_CASE("an empty variable counts as not set") {
    CHECK(settings_with("TESTMON_XDIST_WORKER_TIMEOUT", "").worker_timeout.count() == 30);
    CHECK(settings_with("TESTMON_XDIST_CONTROLLER_PRECREATION", "").enabled);
  }

  TEST_CASE("numbers are read whole") {
    CHECK(settings_with("TESTMON_XDIST_WORKER_TIMEOUT", "2.5").worker_timeout.count() == 2.5);
    CHECK(settings_with("TESTMON_XDIST_WORKER_TIMEOUT", "0").worker_timeout.count() == 0);
    CHECK(settings_with("TESTMON_XDIST_STATE_MAX_AGE", "0").state_max_age.count() == 0);
  }

  TEST_CASE("a value that cannot be read is an error that names the variable") {
    struct Bad {
      const char* name;
      const char* value;
    };

    for (const Bad& bad :
         {Bad{"TESTMON_XDIST_CONTROLLER_PRECREATION", "maybe"}, Bad{"TESTMON_XDIST_DEBUG", "2"},
          Bad{"TESTMON_XDIST_NOTIFICATIONS", "2"}, Bad{"TESTMON_XDIST_WORKER_TIMEOUT", "soon"},
          Bad{"TESTMON_XDIST_WORKER_TIMEOUT", "-1"}, Bad{"TESTMON_XDIST_WORKER_TIMEOUT", "nan"},
          Bad{"TESTMON_XDIST_WORKER_TIMEOUT", "inf"}, Bad{"TESTMON_XDIST_WORKER_TIMEOUT", "3s"},
          Bad{"TESTMON_XDIST_CHECK_INTERVAL", "0"}, Bad{"TESTMON_XDIST_BACKOFF_FACTOR", "1"},
          Bad{"TESTMON_XDIST_MAX_INTERVAL", "0"}, Bad{"TESTMON_XDIST_STATE_MAX_AGE", "1e10"},
          Bad{"TESTMON_XDIST_WORKERS", "4"}, Bad{"TESTMON_XDIST_OWN_DISTRIBUTION", "never"}}) {
      CAPTURE(bad.name);
      CAPTURE(bad.value);
      CHECK_THROWS_WITH_AS(settings_with(bad.name, bad.value), doctest::Contains(bad.name),
                           core::UsageError);
    }
  }

  TEST_CASE("worker ids cannot leave the directory") {
    for (const char* good : {"gw0", "gw15", "A-b_c.9"}) {
      CHECK_NOTHROW(core::check_worker_id(good));
    }
    for (const std::string& bad : {std::string("../x"), std::string(""), std::string(".hidden"),
                                   std::string("a/b"), std::string("a b"), std::string("gw\n0"),
                                   std::string(65, 'a'), std::string("gw0\0x", 5)}) {
      CAPTURE(bad);
      CHECK_THROWS_AS(core::check_worker_id(bad), core::UsageError);
    }
  }
}

} // namespace
