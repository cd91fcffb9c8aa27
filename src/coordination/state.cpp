#include "testmon_precreate/coordination/state.hpp"
#include <testmon_precreate/core/json_reader.hpp>
#include <testmon_precreate/core/json_text.hpp>

#include <nlohmann/json.hpp>

#include <limits>

namespace testmon_precreate::coordination {

namespace {

using core::JsonReader;
using core::to_json_string;
using nlohmann::json;
using nlohmann::ordered_json;

ordered_json optional_text(const std::optional<std::string>& text) {
  return text ? ordered_json(to_json_string(*text)) : ordered_json(nullptr);
}

CoordinationState::PrecreatedEntries read_precreated_entries(const JsonReader& read) {
  CoordinationState::PrecreatedEntries entries;
  entries.test_file_count = read.integer<std::size_t>("test_file_count");
  entries.test_files_path = read.text("test_files_path");
  entries.parked_environments = read.integer<std::size_t>("parked_environments");
  if (!read.is_null("upgraded_from")) {
    entries.upgraded_from = read.integer<int>("upgraded_from", 0);
  }
  return entries;
}

Liveness read_liveness(const JsonReader& read) {
  const std::string word = read.text("liveness");
  if (word != "process" && word != "age") {
    read.refuse("liveness", R"(must be "process" or "age")");
  }
  return word == "process" ? Liveness::process : Liveness::age;
}

void read_identity(const JsonReader& read, CoordinationState& state) {
  state.timestamp = read.number("timestamp");
  state.liveness = read_liveness(read);
  const pid_t smallest_pid = state.liveness == Liveness::process ? 1 : 0;
  state.controller_pid = read.integer<pid_t>("controller_pid", smallest_pid);
  state.controller_start_time = read.number("controller_start_time");
  if (read.has("controller_start_ticks") && !read.is_null("controller_start_ticks")) {
    state.controller_start_ticks = read.integer<std::uint64_t>("controller_start_ticks");
  }
  if (read.has("pid_namespace")) {
    state.pid_namespace = read.text("pid_namespace");
  }
  state.hostname = read.text("hostname");
  state.boot_id = read.text("boot_id");
  state.run_uid = read.optional_text("run_uid");
}

void read_environment(const JsonReader& read, CoordinationState& state) {
  state.rootdir = read.non_empty_text("rootdir");
  state.database_path = read.non_empty_text("database_path");
  // States of earlier releases do not have these.
  if (read.has("coordination_directory")) {
    state.coordination_directory = read.text("coordination_directory");
  }
  state.private_copy = read.has("private_copy") && read.boolean("private_copy");
  state.file_created = read.has("file_created") && read.boolean("file_created");
  state.data_version = read.integer<int>("data_version", 0);
  state.testmon_version = read.text("testmon_version");
  state.environment_id = read.integer<std::int64_t>("environment_id", 0);
  state.environment_name = read.text("environment_name");
  state.python_version = read.text("python_version");
  state.system_packages = read.text("system_packages");
  state.system_packages_full = read.text("system_packages_full");
  state.environment_action = read.text("environment_action");
  state.packages_changed = read.boolean("packages_changed");
  state.expected_workers = read.integer<int>("expected_workers", 0);
  if (read.has("asked_workers")) {
    state.asked_workers = read.integer<int>("asked_workers", 0);
  }
  if (read.has("workers_because")) {
    state.workers_because = read.text("workers_because");
  }
}

} // namespace

ordered_json to_json_value(const CoordinationState& state) {
  ordered_json value{{"schema_version", schema_version},
                     {"timestamp", state.timestamp},
                     {"controller_pid", state.controller_pid},
                     {"controller_start_time", state.controller_start_time},
                     {"controller_start_ticks", state.controller_start_ticks
                                                    ? ordered_json(*state.controller_start_ticks)
                                                    : ordered_json(nullptr)},
                     {"liveness", state.liveness == Liveness::process ? "process" : "age"},
                     {"hostname", to_json_string(state.hostname)},
                     {"boot_id", to_json_string(state.boot_id)},
                     {"pid_namespace", to_json_string(state.pid_namespace)},
                     {"run_uid", optional_text(state.run_uid)},
                     {"rootdir", to_json_string(state.rootdir)},
                     {"database_path", to_json_string(state.database_path)},
                     {"coordination_directory", to_json_string(state.coordination_directory)},
                     {"private_copy", state.private_copy},
                     {"data_version", state.data_version},
                     {"testmon_version", to_json_string(state.testmon_version)},
                     {"environment_id", state.environment_id},
                     {"environment_name", to_json_string(state.environment_name)},
                     {"python_version", to_json_string(state.python_version)},
                     {"system_packages", to_json_string(state.system_packages)},
                     {"system_packages_full", to_json_string(state.system_packages_full)},
                     {"environment_action", to_json_string(state.environment_action)},
                     {"packages_changed", state.packages_changed},
                     {"file_created", state.file_created},
                     {"expected_workers", state.expected_workers},
                     {"asked_workers", state.asked_workers},
                     {"workers_because", to_json_string(state.workers_because)}};
  const auto& entries = state.precreated_entries;
  value["precreated_entries"] = {{"test_file_count", entries.test_file_count},
                                 {"test_files_path", to_json_string(entries.test_files_path)},
                                 {"parked_environments", entries.parked_environments},
                                 {"upgraded_from", entries.upgraded_from
                                                       ? ordered_json(*entries.upgraded_from)
                                                       : ordered_json(nullptr)}};
  return value;
}

std::string to_json(const CoordinationState& state) {
  return core::dump_json(to_json_value(state));
}

CoordinationState parse_state(std::string_view text, const std::string& source) {
  const json value = core::parse_json(text, largest_state, source);
  const JsonReader read(value, source);
  const int schema = read.integer<int>("schema_version", std::numeric_limits<int>::min());
  if (schema != schema_version) {
    read.refuse("schema_version", "is " + std::to_string(schema) + ", this program knows " +
                                      std::to_string(schema_version));
  }
  CoordinationState state;
  read_identity(read, state);
  read_environment(read, state);
  state.precreated_entries = read_precreated_entries(read.object("precreated_entries"));
  return state;
}

} // namespace testmon_precreate::coordination
