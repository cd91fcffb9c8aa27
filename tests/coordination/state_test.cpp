#include "sample_state.hpp"

#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/json_text.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

namespace {

namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
using nlohmann::json;
using testmon_precreate::tests::sample_state;

std::string every_byte() {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) {
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

TEST_SUITE("coordination/state") {
  TEST_CASE("a state survives writing and reading") {
    coordination::CoordinationState state = sample_state();
    state.liveness = coordination::Liveness::process;
    state.controller_pid = 4242;
    state.controller_start_ticks = 18446744073709551615ULL;
    state.controller_start_time = 1763712340.1;
    state.pid_namespace = "pid:[4026531836]";
    state.run_uid = "run";
    state.packages_changed = true;
    state.expected_workers = 4;
    state.precreated_entries = {.test_file_count = 630,
                                .test_files_path = "x",
                                .parked_environments = 3,
                                .upgraded_from = 12};
    const auto copy = coordination::parse_state(coordination::to_json(state), "memory");
    CHECK(coordination::to_json(copy) == coordination::to_json(state));
    CHECK(copy.controller_start_ticks == state.controller_start_ticks);
    CHECK(copy.timestamp == state.timestamp);
    CHECK(copy.precreated_entries.upgraded_from == 12);
  }

  TEST_CASE("unknown keys are accepted, the keys of this program alone may be missing") {
    json value = coordination::to_json_value(sample_state());
    value["new_in_the_future"] = {1, {{"a", "b"}}};
    value["precreated_entries"]["more"] = nullptr;
    value.erase("controller_start_ticks");
    value.erase("pid_namespace");
    const auto state = coordination::parse_state(value.dump(), "memory");
    CHECK_FALSE(state.controller_start_ticks.has_value());
    CHECK(state.pid_namespace.empty());
  }

  TEST_CASE("paths of any bytes survive, and stand in the file as Python writes them") {
    coordination::CoordinationState state = sample_state();
    state.database_path = every_byte() + "\xee\xbe\x80 \xee\xbf\xbf \xef\xbf\xbd \xf0\x9f\x98\x80";
    const std::string text = coordination::to_json(state);
    CHECK(coordination::parse_state(text, "memory").database_path == state.database_path);
    CHECK(text.find("\\udcff") != std::string::npos);
    CHECK(text.find("\xee\xbe\x80") == std::string::npos);
  }

  TEST_CASE("a lone surrogate of Python's surrogateescape is its byte") {
    json value = coordination::to_json_value(sample_state());
    std::string text = value.dump();
    const std::string path = "/project/.testmondata";
    text.replace(text.find(path), path.size(), R"(/a\udcff\uDC80\ud83d\ude00\\udcff\uef80b)");
    CHECK(coordination::parse_state(text, "memory").database_path ==
          "/a\xff\x80\xf0\x9f\x98\x80\\udcff\xee\xbe\x80"
          "b");
  }

  TEST_CASE("random bytes survive the JSON text") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> any_byte(0, 255);
    // Leads and continuations of the range that stands for bytes must come together often.
    const std::string likely = "\xee\xbe\xbf\x80\xef\xff"
                               "a\\u\"";
    for (int round = 0; round < 2000; ++round) {
      std::string bytes;
      for (int length = any_byte(random) % 12; length > 0; --length) {
        const auto byte = static_cast<std::size_t>(any_byte(random));
        bytes += byte % 2 == 0 ? likely[byte / 2 % likely.size()] : static_cast<char>(byte);
      }
      const std::string text = core::dump_json(json{{"k", core::to_json_string(bytes)}});
      const json value = core::parse_json(text, 1000, "memory");
      REQUIRE(core::from_json_string(value["k"].get<std::string>()) == bytes);
    }
  }
}

} // namespace
