#include "temporary_directory.hpp"

#include <testmon_precreate/core/metrics.hpp>
#include <testmon_precreate/core/stopwatch.hpp>
#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace {

namespace core = testmon_precreate::core;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::TemporaryDirectory;

core::MetricsRecord record(const std::string& command, double total,
                           const std::string& error = {}) {
  return {.timestamp = 1,
          .command = command,
          .outcome = error.empty() ? "ok" : "error",
          .exit_code = error.empty() ? 0 : 4,
          .error_class = error,
          .run_uid = std::nullopt,
          .waits = 3,
          .total_milliseconds = total,
          .phases = {{"probe", 1.25}}};
}

TEST_SUITE("core/metrics") {
  TEST_CASE("a record is one line of JSON, whatever its run id holds") {
    core::MetricsRecord given = record("prepare", 2.0004);
    given.run_uid = "a\n\xff\"";
    const std::string line = core::to_json_line(given);
    CHECK(line.find('\n') == line.size() - 1);
    const auto value = nlohmann::json::parse(line);
    CHECK(value["milliseconds"]["total"] == 2.0);
    CHECK(value["milliseconds"]["probe"] == 1.25);
    CHECK(value["error"].is_null());
    CHECK(value["waits"] == 3);
  }

  TEST_CASE("lines are summed up") {
    std::string lines = "\nno json\n{}\n[]\n{\"command\":1,\"milliseconds\":{}}\n";
    for (int i = 1; i <= 100; ++i) {
      lines += core::to_json_line(record("await", i));
    }
    lines += core::to_json_line(record("await", 9999, "CoordinationTimeout"));
    lines += core::to_json_line(record("prepare", 7));
    const core::MetricsSummary summary = core::summarize_metrics(lines);
    CHECK(summary.runs.at("await") == 101);
    CHECK(summary.errors.at("CoordinationTimeout") == 1);
    CHECK(summary.waiting.count == 100);
    CHECK(summary.waiting.median == 50);
    CHECK(summary.waiting.p95 == 95);
    CHECK(summary.preparation.median == 7);
    CHECK(summary.preparation.p95 == 7);
    CHECK(summary.unreadable_lines == 4);
    CHECK(core::summarize_metrics("").waiting.count == 0);
  }

  TEST_CASE("appended lines of several writers stay whole") {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "metrics";
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&file, i] {
        for (int round = 0; round < 100; ++round) {
          util::append_line(file, std::string(5000, static_cast<char>('a' + i)) + '\n');
        }
      });
    }
    for (std::thread& writer : writers) {
      writer.join();
    }
    const std::string content = util::read_file(file, 100'000'000);
    CHECK(content.size() == 8UL * 100 * 5001);
    bool whole = true;
    for (std::size_t start = 0; start < content.size(); start += 5001) {
      whole = whole && content[start + 5000] == '\n' &&
              content.find_first_not_of(content[start], start) == start + 5000;
    }
    CHECK(whole);
  }

  TEST_CASE("a stopwatch notes its laps in order") {
    core::Stopwatch watch;
    watch.lap("first");
    watch.lap("second");
    REQUIRE(watch.laps().size() == 2);
    CHECK(watch.laps()[0].first == "first");
    core::Stopwatch whole;
    whole.append(watch);
    whole.lap("third");
    REQUIRE(whole.laps().size() == 3);
    CHECK(whole.laps()[1] == watch.laps()[1]);
    CHECK(watch.total() >= watch.laps()[0].second + watch.laps()[1].second);
  }
}

} // namespace
