#include "sample_state.hpp"

#include <testmon_precreate/coordination/acknowledgment.hpp>
#include <testmon_precreate/coordination/state.hpp>
#include <testmon_precreate/core/errors.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace {

namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
using nlohmann::json;

struct BadText {
  std::string text;
  std::string error; // what the message must contain
};

json good_state() { return coordination::to_json_value(testmon_precreate::tests::sample_state()); }

json good_acknowledgment() {
  return json::parse(coordination::to_json(coordination::Acknowledgment{.worker_id = "gw0",
                                                                        .pid = 7,
                                                                        .hostname = "host",
                                                                        .timestamp = 1,
                                                                        .waited_seconds = 0,
                                                                        .run_uid = std::nullopt}));
}

// What is no JSON object at all.
std::vector<BadText> broken_texts() {
  const std::string syntax = "it is not valid JSON: parse error at line";
  const std::string nul = "it is not valid JSON: it holds a NUL byte";
  const std::string object = "it is not a JSON object";
  const std::string deep = "it nests deeper than 16 levels";
  return {
      {"", syntax},
      {" ", syntax},
      {"\n\n", syntax},
      {std::string(1, '\0'), nul},
      {std::string("{}\0x", 4), nul},
      {"{", syntax},
      {"}", syntax},
      {"[", syntax},
      {"]", syntax},
      {"{]", syntax},
      {"[}", syntax},
      {"{}{}", syntax},
      {"{} x", syntax},
      {"{},", syntax},
      {"{\"a\"}", syntax},
      {"{\"a\":}", syntax},
      {"{\"a\":1,}", syntax},
      {"{\"a\" 1}", syntax},
      {"{a:1}", syntax},
      {"{'a':1}", syntax},
      {"{1:1}", syntax},
      {"{\"a\":1", syntax},
      {"{\"a\":\"", syntax},
      {"{\"a\":\"\\", syntax},
      {"{\"a\":\"\\\"}", syntax},
      {"{\"a\":\"\\x\"}", syntax},
      {"{\"a\":\"\\u\"}", syntax},
      {"{\"a\":\"\\u12\"}", syntax},
      {"{\"a\":\"\\u12G4\"}", syntax},
      {"{\"a\":\"\\ud800\"}", syntax},
      {"{\"a\":\"\\ud800x\"}", syntax},
      {"{\"a\":\"\\ud800\\n\"}", syntax},
      {"{\"a\":\"\\ud800\\u0041\"}", syntax},
      {"{\"a\":\"\\ud800\\ud800\"}", syntax},
      {"{\"a\":\"\\udc00\"}", syntax},
      {"{\"a\":\"\\udc7f\"}", syntax},
      {"{\"a\":\"\\udd00\"}", syntax},
      {"{\"a\":\"\\udfff\"}", syntax},
      {"\\udc80", syntax},
      {"{\"a\":\"\n\"}", syntax},
      {"{\"a\":\"\t\"}", syntax},
      {std::string("{\"a\":\"\0\"}", 9), nul},
      {"{\"a\":\"\x80\"}", syntax},
      {"{\"a\":\"\xff\"}", syntax},
      {"{\"a\":\"\xc0\x80\"}", syntax},
      {"{\"a\":\"\xed\xa0\x80\"}", syntax},
      {"{\"a\":\"\xf4\x90\x80\x80\"}", syntax},
      {"{\"a\":\"\xe2\x82\"}", syntax},
      {"{\"a\":\"\xee\xbe", syntax},
      {"{\"a\":tru}", syntax},
      {"{\"a\":True}", syntax},
      {"{\"a\":None}", syntax},
      {"{\"a\":NaN}", syntax},
      {"{\"a\":Infinity}", syntax},
      {"{\"a\":-Infinity}", syntax},
      {"{\"a\":01}", syntax},
      {"{\"a\":+1}", syntax},
      {"{\"a\":.5}", syntax},
      {"{\"a\":1.}", syntax},
      {"{\"a\":1e}", syntax},
      {"{\"a\":0x10}", syntax},
      {"{\"a\":-}", syntax},
      {"{\"a\":1_000}", syntax},
      {"// comment\n{}", syntax},
      {"/* comment */ {}", syntax},
      {"<?xml version=\"1.0\"?>", syntax},
      {"schema_version = 1", syntax},
      {"schema_version: 1", syntax},
      {"\x7f"
       "ELF",
       syntax},
      {"SQLite format 3", syntax},
      {"\xff\xfe{\0}\0", syntax},
      {"{\"a\":1e999}", "it is not valid JSON: number overflow"},
      {"null", object},
      {"true", object},
      {"false", object},
      {"0", object},
      {"-1", object},
      {"1.5", object},
      {"\"text\"", object},
      {"[]", object},
      {"[{}]", object},
      {std::string(18, '['), deep},
      {std::string(5'000, '['), deep},
      {std::string(5'000, '[') + std::string(5'000, ']'), deep},
      {"{\"a\":" + std::string(5'000, '[') + std::string(5'000, ']') + "}", deep},
  };
}

struct WrongType {
  json value;
  const char* error;
};

BadText with(const json& good, const char* key, json value, const std::string& error) {
  json bad = good;
  bad[json::json_pointer(key)] = std::move(value);
  return {bad.dump(), error};
}

std::string quoted_name(const char* pointer) {
  std::string name(pointer + 1);
  for (char& c : name) {
    c = c == '/' ? '.' : c;
  }
  return '\'' + name + '\'';
}

// Every way in which one key's value is of a wrong type; a missing key comes first.
void add_wrong_types(std::vector<BadText>& cases, const json& good, const char* key,
                     const std::string& demand, const std::vector<json>& values) {
  json without = good;
  const json::json_pointer pointer(key);
  without[pointer.parent_pointer()].erase(pointer.back());
  cases.push_back({without.dump(), quoted_name(key) + " is missing"});
  for (const json& value : values) {
    cases.push_back(with(good, key, value, quoted_name(key) + ' ' + demand));
  }
}

void add_texts(std::vector<BadText>& cases, const json& good,
               const std::vector<const char*>& keys) {
  for (const char* key : keys) {
    add_wrong_types(cases, good, key, "must be a string",
                    {nullptr, 1, 1.5, true, json::array(), json::object()});
    cases.push_back(with(good, key, std::string("a\0b", 3), quoted_name(key) + " holds a NUL"));
  }
}

void add_integers(std::vector<BadText>& cases, const json& good,
                  const std::vector<const char*>& keys) {
  for (const char* key : keys) {
    add_wrong_types(cases, good, key, "must be a whole number",
                    {nullptr, "1", 1.0, 1e300, true, json::array(), json::object()});
    cases.push_back(with(good, key, -1, quoted_name(key) + " is out of range"));
  }
}

void add_numbers(std::vector<BadText>& cases, const json& good,
                 const std::vector<const char*>& keys) {
  for (const char* key : keys) {
    add_wrong_types(cases, good, key, "must be a number",
                    {nullptr, "1", true, json::array(), json::object()});
    cases.push_back(with(good, key, -1, quoted_name(key) + " is out of range"));
    cases.push_back(with(good, key, -0.5, quoted_name(key) + " is out of range"));
  }
}

std::vector<BadText> bad_states() {
  const json good = good_state();
  std::vector<BadText> cases = broken_texts();
  add_texts(cases, good,
            {"/hostname", "/boot_id", "/rootdir", "/database_path", "/testmon_version",
             "/environment_name", "/python_version", "/system_packages", "/system_packages_full",
             "/environment_action", "/precreated_entries/test_files_path"});
  add_integers(cases, good,
               {"/controller_pid", "/data_version", "/environment_id", "/expected_workers",
                "/precreated_entries/test_file_count", "/precreated_entries/parked_environments"});
  add_numbers(cases, good, {"/timestamp", "/controller_start_time"});
  add_wrong_types(cases, good, "/packages_changed", "must be true or false",
                  {nullptr, 0, 1, "true", json::array()});
  add_wrong_types(cases, good, "/run_uid", "must be a string or null",
                  {1, 1.5, false, json::array(), json::object()});
  add_wrong_types(cases, good, "/precreated_entries", "must be an object",
                  {nullptr, 1, "x", true, json::array()});
  add_wrong_types(cases, good, "/precreated_entries/upgraded_from", "must be a whole number",
                  {"12", 12.0, true, json::array()});
  add_wrong_types(cases, good, "/schema_version", "must be a whole number",
                  {nullptr, "1", 1.0, true, json::array()});
  add_wrong_types(cases, good, "/liveness", "must be a string", {nullptr, 1, true});
  const std::vector<BadText> single = {
      with(good, "/liveness", "", "'liveness' must be \"process\" or \"age\""),
      with(good, "/liveness", "Process", "'liveness' must be \"process\" or \"age\""),
      with(good, "/liveness", "dead", "'liveness' must be \"process\" or \"age\""),
      with(good, "/schema_version", 0, "'schema_version' is 0, this program knows 1"),
      with(good, "/schema_version", 2, "'schema_version' is 2, this program knows 1"),
      with(good, "/schema_version", -1, "'schema_version' is -1, this program knows 1"),
      with(good, "/schema_version", 4294967297, "'schema_version' is out of range"),
      with(good, "/schema_version", 18446744073709551615ULL, "'schema_version' is out of range"),
      with(good, "/controller_pid", 2147483648, "'controller_pid' is out of range"),
      with(good, "/controller_pid", 18446744073709551615ULL, "'controller_pid' is out of range"),
      with(good, "/data_version", 2147483648, "'data_version' is out of range"),
      with(good, "/environment_id", 9223372036854775808ULL, "'environment_id' is out of range"),
      with(good, "/expected_workers", 2147483648, "'expected_workers' is out of range"),
      with(good, "/controller_start_ticks", -1, "'controller_start_ticks' is out of range"),
      with(good, "/controller_start_ticks", "1", "'controller_start_ticks' must be a whole number"),
      with(good, "/controller_start_ticks", 1.5, "'controller_start_ticks' must be a whole number"),
      with(good, "/pid_namespace", 4, "'pid_namespace' must be a string"),
      with(good, "/pid_namespace", nullptr, "'pid_namespace' must be a string"),
      with(good, "/run_uid", std::string(1, '\0'), "'run_uid' holds a NUL"),
      with(good, "/rootdir", "", "'rootdir' is empty"),
      with(good, "/database_path", "", "'database_path' is empty"),
      with(good, "/precreated_entries/upgraded_from", -1,
           "'precreated_entries.upgraded_from' is out of range"),
      {R"({"schema_version":1,"schema_version":2})", "'schema_version' is 2"},
      {std::string(10'000, '[') + std::string(10'000, ']'), "it nests deeper than 16 levels"},
      {std::string(1'000'000, '['), "it nests deeper than 16 levels"},
      {std::string(1024UL * 1024 + 1, ' '), "it is larger than 1024 KiB"},
      {good.dump() + std::string(1024UL * 1024, '\n'), "it is larger than 1024 KiB"},
      {good.dump() + good.dump(), "it is not valid JSON"},
      {good.dump().substr(0, good.dump().size() / 2), "it is not valid JSON"},
  };
  cases.insert(cases.end(), single.begin(), single.end());
  json process = good;
  process["liveness"] = "process";
  process["controller_pid"] = 0;
  cases.push_back({process.dump(), "'controller_pid' is out of range"});
  return cases;
}

std::vector<BadText> bad_acknowledgments() {
  const json good = good_acknowledgment();
  std::vector<BadText> cases = broken_texts();
  add_texts(cases, good, {"/hostname"});
  add_integers(cases, good, {"/pid"});
  add_numbers(cases, good, {"/timestamp", "/waited_seconds"});
  add_wrong_types(cases, good, "/run_uid", "must be a string or null", {1, false});
  add_wrong_types(cases, good, "/worker_id", "must be a string", {nullptr, 0});
  for (const char* id : {"", ".", "..", "../gw0", "a/b", ".hidden", "a b", "gw\n0"}) {
    cases.push_back(with(good, "/worker_id", id, "'worker_id' is not a worker id"));
  }
  cases.push_back(with(good, "/worker_id", std::string(65, 'a'), "'worker_id' is not a worker id"));
  cases.push_back(with(good, "/pid", 0, "'pid' is out of range"));
  cases.push_back({std::string(16UL * 1024 + 1, ' '), "it is larger than 16 KiB"});
  return cases;
}

using Parse = std::function<void(const std::string&)>;

void check_refused(const std::vector<BadText>& cases, const Parse& parse) {
  for (const BadText& bad : cases) {
    CAPTURE(bad.text.substr(0, 300));
    CAPTURE(bad.error);
    try {
      parse(bad.text);
      FAIL_CHECK("accepted");
    } catch (const core::InvalidCoordinationState& error) {
      const std::string message = error.what();
      CHECK(message.find(bad.error) != std::string::npos);
      CHECK(message.find("(THE SOURCE)") != std::string::npos);
      CHECK(message.size() < 500);
      if (message.find(bad.error) == std::string::npos) {
        MESSAGE(message);
      }
    }
  }
}

TEST_SUITE("coordination/bad_states") {
  TEST_CASE("every bad state is refused, and the message says why") {
    const std::vector<BadText> cases = bad_states();
    CHECK(cases.size() >= 200);
    check_refused(cases, [](const std::string& text) {
      static_cast<void>(coordination::parse_state(text, "THE SOURCE"));
    });
  }

  TEST_CASE("every bad acknowledgment is refused, and the message says why") {
    check_refused(bad_acknowledgments(), [](const std::string& text) {
      static_cast<void>(coordination::parse_acknowledgment(text, "THE SOURCE"));
    });
  }

  TEST_CASE("what the bad ones are made from is good") {
    CHECK_NOTHROW(static_cast<void>(coordination::parse_state(good_state().dump(), "")));
    CHECK_NOTHROW(
        static_cast<void>(coordination::parse_acknowledgment(good_acknowledgment().dump(), "")));
  }
}

} // namespace
