#include "temporary_directory.hpp"

#include <testmon_precreate/selection/start_up_memory.hpp>
#include <testmon_precreate/selection/worker_count.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace selection = testmon_precreate::selection;
using selection::Grouping;
using selection::TestToRun;
using selection::WorkerBounds;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::util::Seconds;

// `count` tests of `seconds` each, `in_file` of them in each file, half of these in a class.
class Tests {
public:
  Tests(int count, double seconds, int in_file = 10) {
    for (int i = 0; i < count; ++i) {
      const char* const scope = i % 2 == 0 ? "::TestIt" : "";
      names_.push_back(fmt::format("test_{}.py{}::test_{}[a-{}]", i / in_file, scope, i, i));
    }
    for (const std::string& name : names_) {
      tests_.push_back({name, Seconds(seconds)});
    }
  }

  [[nodiscard]] std::vector<TestToRun>& all() { return tests_; }

  [[nodiscard]] int workers(const WorkerBounds& bounds, Grouping grouping = Grouping::test) const {
    return selection::workers_that_pay(tests_, grouping, bounds);
  }

private:
  std::vector<std::string> names_;
  std::vector<TestToRun> tests_;
};

TEST_SUITE("selection/worker_count") {
  TEST_CASE("nothing to run needs no worker, or as many as there must be") {
    const Tests none(0, 0);
    CHECK(none.workers({.asked = 8}) == 0);
    CHECK(none.workers({.asked = 8, .least = 1}) == 1);
    CHECK(none.workers({.asked = 1, .least = 2}) == 1);
  }

  TEST_CASE("never more than groups, or than were asked for, also if a start has no known cost") {
    const WorkerBounds bounds{.asked = 8, .processors = 4};
    CHECK(Tests(1, 60).workers(bounds) == 1);
    CHECK(Tests(5, 60).workers(bounds) == 5);
    CHECK(Tests(50, 60).workers(bounds) == 8);
    CHECK(Tests(50, 60).workers({.asked = 3, .processors = 64, .start_up = Seconds(0.1)}) == 3);
    CHECK(Tests(50, 60, 10).workers(bounds, Grouping::file) == 5);
    CHECK(Tests(20, 60, 10).workers(bounds, Grouping::file) == 2);
    CHECK(Tests(20, 60, 10).workers(bounds, Grouping::scope) == 4);
    CHECK(Tests(20, 60, 10).workers(bounds, Grouping::test) == 8);
  }

  TEST_CASE("as many as asked for if a duration is not known") {
    Tests tests(3, 0.01);
    tests.all()[1].duration = std::nullopt;
    CHECK(tests.workers({.asked = 8, .processors = 2, .start_up = Seconds(1)}) == 8);
  }

  TEST_CASE("no worker that takes longer to start than it saves") {
    const auto workers = [](int count, double seconds, double start_up, unsigned processors) {
      return Tests(count, seconds)
          .workers({.asked = 8, .processors = processors, .start_up = Seconds(start_up)});
    };
    CHECK(workers(5, 0.01, 0.5, 2) == 1);
    CHECK(workers(5, 0.01, 0.5, 1) == 1);
    CHECK(workers(500, 0.01, 0.5, 2) ==
          4); // 0.85 + 1.67 s with 3, 1.15 + 1.25 s, 1.45 + 1 s with 5
    CHECK(workers(500, 1, 0.5, 2) == 8);
    CHECK(workers(500, 0.01, 0.5, 8) == 8);
    CHECK(workers(2, 10, 0.5, 1) == 2);
    CHECK(workers(2, 0.2, 0.5, 1) == 1);
  }

  TEST_CASE("one long test sets the pace") {
    Tests tests(20, 0.05);
    tests.all().front().duration = Seconds(10);
    CHECK(tests.workers({.asked = 8, .processors = 1, .start_up = Seconds(0.4)}) == 2);
  }

  TEST_CASE("more tests never get fewer workers, a dearer start never more") {
    int last = 0;
    for (int count = 1; count < 400; count += 7) {
      const int now =
          Tests(count, 0.05).workers({.asked = 8, .processors = 2, .start_up = Seconds(0.3)});
      CHECK(now >= last);
      last = now;
    }
    for (double cost = 0.01; cost < 30; cost *= 1.5) {
      const int now =
          Tests(400, 0.05).workers({.asked = 8, .processors = 2, .start_up = Seconds(cost)});
      CHECK(now <= last);
      last = now;
    }
    CHECK(last < 3);
  }

  TEST_CASE("a start is what it takes on a processor of its own") {
    CHECK(selection::start_up_of_one(Seconds(2), 1, 2) == Seconds(2));
    CHECK(selection::start_up_of_one(Seconds(4.7), 8, 2).count() == doctest::Approx(1));
    CHECK(selection::start_up_of_one(Seconds(4.3), 4, 0).count() == doctest::Approx(1));
  }
}

TEST_SUITE("selection/start_up_memory") {
  TEST_CASE("a quicker start counts at once, a slower one by and by; each project has its own") {
    const TemporaryDirectory cache;
    const selection::StartUpMemory memory("/project", cache.path());
    CHECK_FALSE(memory.recall());
    memory.learn(Seconds(2));
    CHECK(memory.recall() == Seconds(2));
    memory.learn(Seconds(0.5));
    CHECK(memory.recall() == Seconds(0.5));
    memory.learn(Seconds(9));
    CHECK(memory.recall()->count() == doctest::Approx(0.55));
    CHECK_FALSE(selection::StartUpMemory("/other", cache.path()).recall());
  }

  TEST_CASE("without a cache, or with one that is broken, nothing is known") {
    selection::StartUpMemory("/project", "").learn(Seconds(1));
    CHECK_FALSE(selection::StartUpMemory("/project", "").recall());
    selection::StartUpMemory("/project", "/proc/none").learn(Seconds(1));
    const TemporaryDirectory cache;
    const selection::StartUpMemory memory("/project", cache.path());
    memory.learn(Seconds(1));
    for (const char* content : {"", "/other\n1\n", "/project\n", "/project\nnan\n",
                                "/project\n-1\n", "/project\nmuch\n", "/project\n0\n"}) {
      for (const auto& entry : fs::directory_iterator(cache.path())) {
        cache.write(entry.path().filename(), content);
      }
      CHECK_FALSE(memory.recall());
    }
  }
}

} // namespace
