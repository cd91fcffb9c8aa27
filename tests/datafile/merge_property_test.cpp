#include "merge_sample.hpp"
#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/datafile/merge.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace datafile = testmon_precreate::datafile;
using datafile::Environment;
using datafile::MergeRequest;
using datafile::OnDisk;
using testmon_precreate::tests::Content;
using testmon_precreate::tests::counter;
using testmon_precreate::tests::Fingerprint;
using testmon_precreate::tests::merge_request;
using testmon_precreate::tests::number;
using testmon_precreate::tests::placeholder;
using testmon_precreate::tests::read;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::Test;
using testmon_precreate::tests::Tests;
using testmon_precreate::tests::write;
using testmon_precreate::tests::write_counter;

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
        records_[test].push_back(draw_.chance(15) ? placeholder() : draw_record());
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
    MergeRequest request = merge_request(at() / target, {});
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
