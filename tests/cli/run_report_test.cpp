#include <testmon_precreate/cli/run_report.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

namespace cli = testmon_precreate::cli;
namespace core = testmon_precreate::core;

cli::RunReport some_report() {
  cli::RunReport report;
  report.recorded = 10;
  report.executed = 4;
  report.skipped = 6;
  report.skipped_seconds = 12.34;
  report.datafile = "/project/.testmondata";
  report.base_modified = 1000;
  return report;
}

std::string line_of(const std::string& text, const std::string& start) {
  const std::size_t begin = text.find(start);
  return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
}

TEST_SUITE("cli/run_report") {
  TEST_CASE("the plugin's JSON") {
    const std::string json =
        R"({"is_audit": true, "why_all": "", "recorded": 3, "executed": 2, "skipped": 1,)"
        R"( "skipped_seconds": 0.5, "failed": 1, "missed": ["a.py::b"], "datafile": "/d",)"
        R"( "base_modified": null, "environment_name": "", "environment_action": "",)"
        R"( "packages_changed": false, "of a later version": 1})";
    const auto report = cli::parse_run_report(json, "report");
    CHECK(report.is_audit);
    CHECK(report.recorded == 3);
    CHECK(report.missed == std::vector<std::string>{"a.py::b"});
    CHECK_FALSE(report.base_modified);
    for (const char* broken : {"", "[]", "{}", "{\"is_audit\": 1}"}) {
      CHECK_THROWS_AS(static_cast<void>(cli::parse_run_report(broken, "report")),
                      core::InvalidCoordinationState);
    }
    std::string wrong = json;
    wrong.replace(wrong.find("[\"a.py::b\"]"), 11, "[null]");
    CHECK_THROWS_AS(static_cast<void>(cli::parse_run_report(wrong, "report")),
                    core::InvalidCoordinationState);
  }

  TEST_CASE("why everything ran") {
    const auto reason = [](const cli::RunReport& report) {
      return line_of(cli::to_markdown(report, 1000), "- **Why all:** ");
    };
    cli::RunReport report = some_report();
    CHECK(reason(report).empty());
    report.why_all = "-k was used";
    CHECK(reason(report) == "- **Why all:** selection was off: -k was used");
    report = some_report();
    report.skipped = 0;
    CHECK(reason(report) == "- **Why all:** the changes affect every recorded test");
    report.recorded = 0;
    CHECK(reason(report) == "- **Why all:** nothing was recorded of this environment");
    report.packages_changed = true;
    CHECK(reason(report) == "- **Why all:** packages or Python have changed");
    report.base_modified.reset();
    CHECK(reason(report) == "- **Why all:** there was no data file");
  }

  TEST_CASE("the base's age") {
    const auto base = [](double now) {
      return line_of(cli::to_markdown(some_report(), now), "- **Base:** ");
    };
    CHECK(base(1042) == "- **Base:** `/project/.testmondata`, last written 42 s before");
    CHECK(base(900).ends_with("last written 0 s before"));
    CHECK(base(1000 + 600).ends_with("last written 10 minutes before"));
    CHECK(base(1000 + 7200).ends_with("last written 2 hours before"));
    CHECK(base(1000 + 864000).ends_with("last written 10 days before"));
  }

  TEST_CASE("names stay inline code") {
    cli::RunReport report = some_report();
    report.is_audit = true;
    report.missed = {"t.py::t[`\n# title]"};
    const std::string text = cli::to_markdown(report, 1000);
    CHECK(line_of(text, "  - ") == "  - `t.py::t[''# title]`");
    report.missed.assign(60, "t.py::t");
    CHECK(cli::to_markdown(report, 1000).find("  - and 10 more\n") != std::string::npos);
  }
}

} // namespace
