#include "sample_state.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/coordination/backoff.hpp>
#include <testmon_precreate/coordination/directory_watch.hpp>
#include <testmon_precreate/coordination/waiter.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include <poll.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
namespace util = testmon_precreate::util;
using std::chrono::steady_clock;
using testmon_precreate::tests::sample_state;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::write_acknowledgment;

coordination::WaitPolicy policy(double timeout, double interval, bool notification) {
  coordination::WaitPolicy result;
  result.timeout = util::Seconds(timeout);
  result.interval = util::Seconds(interval);
  result.use_notifications = notification;
  return result;
}

double seconds_of(const std::function<void()>& action) {
  const auto start = steady_clock::now();
  action();
  return util::Seconds(steady_clock::now() - start).count();
}

TEST_SUITE("coordination/waiter") {
  TEST_CASE("intervals grow by the factor up to the ceiling") {
    coordination::Backoff backoff(util::Seconds(0.1), 1.5, util::Seconds(0.3));
    for (const double expected : {0.1, 0.15, 0.225, 0.3, 0.3}) {
      CHECK(backoff.next().count() == doctest::Approx(expected));
    }
    coordination::Backoff low_ceiling(util::Seconds(5), 2, util::Seconds(1));
    CHECK(low_ceiling.next().count() == 1);
  }

  TEST_CASE("looks come as configured, and the last sleep ends with the timeout") {
    // At 0, 0.1, 0.3, 0.5 (ceiling 0.2) and, cut, 0.6.
    const TemporaryDirectory root;
    coordination::WaitPolicy given = policy(0.6, 0.1, false);
    given.backoff_factor = 2;
    given.max_interval = util::Seconds(0.2);
    coordination::Pauses pauses(root.path(), given);
    std::vector<double> looks{0};
    while (pauses.wait()) {
      looks.push_back(pauses.elapsed().count());
    }
    const std::vector<double> expected{0, 0.1, 0.3, 0.5, 0.6};
    REQUIRE(looks.size() <= expected.size());
    for (std::size_t i = 0; i < looks.size(); ++i) {
      CHECK(looks[i] >= expected[i]);
    }
    CHECK(looks.back() >= 0.6);
  }

  TEST_CASE("backoff alone suffices") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    std::thread controller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      directory.create();
      directory.write_state(sample_state());
    });
    const auto result =
        coordination::wait_for_state(directory, std::nullopt, policy(30, 0.05, false));
    controller.join();
    CHECK(result.state.environment_id == 42);
    CHECK(result.looks >= 2);
    CHECK(result.waited.count() >= 0.1);
  }

  TEST_CASE("a notification cuts the sleep short") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "not" / "there" / "yet");
    std::thread controller([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      directory.create();
      directory.write_state(sample_state());
    });
    coordination::WaitPolicy slow = policy(60, 50, true);
    slow.max_interval = util::Seconds(50);
    CHECK(seconds_of([&] {
            static_cast<void>(coordination::wait_for_state(directory, std::nullopt, slow));
          }) < 20);
    controller.join();
  }

  TEST_CASE("a state that is not accepted is waited past") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path());
    directory.write_state(sample_state());
    int asked = 0;
    const auto accept = [&](const coordination::WaitResult&) { return ++asked == 3; };
    CHECK_NOTHROW(static_cast<void>(
        coordination::wait_for_state(directory, std::nullopt, policy(30, 0.01, true), accept)));
    CHECK(asked == 3);
    CHECK_THROWS_WITH_AS(
        static_cast<void>(coordination::wait_for_state(directory, std::nullopt, policy(0, 1, true),
                                                       [](const auto&) { return false; })),
        doctest::Contains("being replaced"), core::CoordinationTimeout);
  }

  TEST_CASE("a note after a second, once") {
    const TemporaryDirectory root;
    int notes = 0;
    coordination::WaitPolicy given = policy(1.3, 0.2, true);
    given.after_a_second = [&notes] { ++notes; };
    CHECK_THROWS_AS(
        static_cast<void>(coordination::wait_for_state(
            coordination::CoordinationDirectory(root.path() / "d"), std::nullopt, given)),
        core::CoordinationTimeout);
    CHECK(notes == 1);
  }

  TEST_CASE("a signal ends the wait, and its handling is as before afterwards") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    const pthread_t waiter = ::pthread_self();
    std::thread sender([waiter] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      ::pthread_kill(waiter, SIGTERM);
    });
    // In case the wait is late, the signal must not end the tests.
    sigset_t term{};
    ::sigemptyset(&term);
    ::sigaddset(&term, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
    try {
      static_cast<void>(
          coordination::wait_for_state(directory, std::nullopt, policy(60, 50, true)));
      FAIL("not interrupted");
    } catch (const util::Interrupted& interrupted) {
      CHECK(interrupted.signal_number() == SIGTERM);
    }
    sender.join();
    ::pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
  }

  TEST_CASE("acknowledgments are counted by run, the missing named") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path());
    for (const char* id : {"gw0", "gw2"}) {
      write_acknowledgment(directory, {.worker_id = id,
                                       .pid = 1,
                                       .hostname = "h",
                                       .timestamp = 1,
                                       .waited_seconds = 0,
                                       .run_uid = "mine"});
    }
    write_acknowledgment(directory, {.worker_id = "gw1",
                                     .pid = 1,
                                     .hostname = "h",
                                     .timestamp = 1,
                                     .waited_seconds = 0,
                                     .run_uid = "theirs"});
    CHECK(coordination::wait_for_acknowledgments(directory, "mine", 2, policy(0, 1, true)).size() ==
          2);
    CHECK(coordination::wait_for_acknowledgments(directory, std::nullopt, 3, policy(0, 1, true))
              .size() == 3);
    CHECK_THROWS_WITH_AS(static_cast<void>(coordination::wait_for_acknowledgments(
                             directory, "mine", 3, policy(0.05, 1, true))),
                         doctest::Contains("missing: gw1; there: gw0, gw2"), core::WorkerNotReady);
  }

  TEST_CASE("a watch finds its way to a directory that comes, goes and comes again") {
    const TemporaryDirectory root;
    const fs::path target = root.path() / "a" / "b";
    coordination::DirectoryWatch watch(target);
    REQUIRE(watch.get() >= 0);
    const auto notices = [&] {
      bool found = false;
      pollfd polled{watch.get(), POLLIN, 0};
      while (::poll(&polled, 1, 50) > 0) {
        found = watch.take() || found;
      }
      return found;
    };
    CHECK_FALSE(notices());
    for (int round = 0; round < 3; ++round) {
      root.write("a/b/f");
      CHECK(notices());
      util::write_file_atomically(target / "f", "replaced");
      CHECK(notices());
      fs::remove_all(root.path() / "a");
      CHECK(notices());
    }
  }
}

} // namespace
