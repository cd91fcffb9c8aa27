#include "sample_state.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::sample_state;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::write_acknowledgment;

// A process that lives until it is killed.
class Controller {
public:
  Controller()
      : pid_(::fork()) {
    if (pid_ == 0) {
      ::pause();
      ::_exit(0);
    }
  }

  ~Controller() { kill(); }

  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;
  Controller(Controller&&) = delete;
  Controller& operator=(Controller&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  void kill() {
    if (!dead_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      dead_ = true;
    }
  }

private:
  pid_t pid_;
  bool dead_ = false;
};

coordination::CoordinationState state_of(const Controller& controller, const char* run_uid) {
  coordination::CoordinationState state = sample_state();
  coordination::identify(state, controller.pid());
  state.run_uid = run_uid;
  return state;
}

coordination::Acknowledgment acknowledgment(const char* id, const char* run_uid) {
  return {.worker_id = id,
          .pid = 1,
          .hostname = "h",
          .timestamp = 1,
          .waited_seconds = 0,
          .run_uid = run_uid};
}

coordination::Claimant run(const char* run_uid) {
  return {.run_uid = run_uid, .controller_pid = std::nullopt};
}

constexpr util::Seconds at_once{0};

TEST_SUITE("coordination/claim") {
  TEST_CASE("a living run of others is left alone") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    Controller controller;
    directory.write_state(state_of(controller, "theirs"));
    CHECK_THROWS_WITH_AS(
        static_cast<void>(coordination::claim_for_run(directory, run("mine"), at_once)),
        doctest::Contains("run theirs is still in progress"), core::CoordinationBusy);
    CHECK_THROWS_AS(
        static_cast<void>(coordination::remove_coordination_files(directory, run("mine"), false)),
        core::CoordinationBusy);
    CHECK(directory.read_state().has_value());

    SUBCASE("until its controller dies") {
      controller.kill();
      CHECK_NOTHROW(
          static_cast<void>(coordination::claim_for_run(directory, run("mine"), at_once)));
      CHECK_FALSE(directory.read_state().has_value());
    }
    SUBCASE("unless it is cleaned up by force") {
      CHECK(coordination::remove_coordination_files(directory, run("mine"), true));
      CHECK_FALSE(fs::exists(directory.path()));
    }
    SUBCASE("the same run may go on") {
      write_acknowledgment(directory, acknowledgment("gw0", "theirs"));
      write_acknowledgment(directory, acknowledgment("gw1", "older"));
      CHECK_NOTHROW(
          static_cast<void>(coordination::claim_for_run(directory, run("theirs"), at_once)));
      CHECK(directory.read_state().has_value());
      REQUIRE(directory.read_acknowledgments().size() == 1);
      CHECK(directory.read_acknowledgments()[0].worker_id == "gw0");
    }
    SUBCASE("the same controller may go on") {
      CHECK_NOTHROW(static_cast<void>(coordination::claim_for_run(
          directory, {.run_uid = std::nullopt, .controller_pid = controller.pid()}, at_once)));
    }
  }

  TEST_CASE("leftovers go with a claim") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    directory.write_state(sample_state());
    write_acknowledgment(directory, acknowledgment("gw0", "old"));
    root.write("d/worker_broken_ready", "{");
    root.write("d/foreign", "stays");
    CHECK_NOTHROW(static_cast<void>(coordination::claim_for_run(directory, run("new"), at_once)));
    CHECK_FALSE(directory.read_state().has_value());
    CHECK_FALSE(fs::exists(directory.path() / "worker_gw0_ready"));
    CHECK_FALSE(fs::exists(directory.path() / "worker_broken_ready"));
    CHECK(fs::exists(directory.path() / "foreign"));
  }

  TEST_CASE("a state that cannot be read is no run") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    root.write("d/controller_ready.json", "{");
    CHECK_NOTHROW(static_cast<void>(coordination::claim_for_run(directory, run("new"), at_once)));
    CHECK_FALSE(fs::exists(directory.state_path()));
  }

  TEST_CASE("one claim at a time") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    std::atomic<int> inside = 0;
    std::atomic<int> claims = 0;
    std::atomic<bool> overlap = false;
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 5; ++round) {
          directory.create();
          const auto claim = coordination::claim_for_run(
              directory, run(fmt::format("r{}", i).c_str()), util::Seconds(60));
          overlap = overlap || ++inside != 1;
          ++claims;
          directory.write_state(sample_state());
          --inside;
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    CHECK(claims == 40);
    CHECK_FALSE(overlap);
  }

  TEST_CASE("clean-up does not wait for queued runs, and leaves their places") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    Controller controller;
    directory.write_state(state_of(controller, "first"));
    std::atomic<bool> done = false;
    std::thread second([&] {
      const auto claim = coordination::claim_for_run(directory, run("second"), util::Seconds(60));
      done = true;
    });
    while (std::none_of(fs::directory_iterator(directory.path()), fs::directory_iterator(),
                        [](const auto& entry) {
                          return entry.path().filename().string().starts_with(".queue.");
                        })) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK_FALSE(done);
    CHECK(coordination::remove_coordination_files(directory, run("first"), false));
    second.join();
    CHECK(done);
    CHECK(coordination::remove_coordination_files(directory, run("second"), false));
    CHECK_FALSE(fs::exists(directory.path()));
  }

  TEST_CASE("the place of a process that died is free") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    root.write("d/.queue.000000000001");
    CHECK_NOTHROW(
        static_cast<void>(coordination::claim_for_run(directory, run("r"), util::Seconds(5))));
    CHECK_FALSE(fs::exists(directory.path() / ".queue.000000000001"));
  }
}

} // namespace
