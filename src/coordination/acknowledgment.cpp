#include "testmon_precreate/coordination/acknowledgment.hpp"

#include "file_errors.hpp"
#include "locks.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/json_reader.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <nlohmann/json.hpp>

namespace testmon_precreate::coordination {

using core::JsonReader;
using core::to_json_string;
using nlohmann::json;
using nlohmann::ordered_json;

std::string to_json(const Acknowledgment& acknowledgment) {
  return core::dump_json(ordered_json{
      {"worker_id", to_json_string(acknowledgment.worker_id)},
      {"pid", acknowledgment.pid},
      {"hostname", to_json_string(acknowledgment.hostname)},
      {"timestamp", acknowledgment.timestamp},
      {"waited_seconds", acknowledgment.waited_seconds},
      {"run_uid", acknowledgment.run_uid ? ordered_json(to_json_string(*acknowledgment.run_uid))
                                         : ordered_json(nullptr)}});
}

Acknowledgment parse_acknowledgment(std::string_view text, const std::string& source) {
  const json value = core::parse_json(text, largest_acknowledgment, source);
  const JsonReader read(value, source);
  Acknowledgment acknowledgment;
  acknowledgment.worker_id = read.text("worker_id");
  try {
    core::check_worker_id(acknowledgment.worker_id);
  } catch (const core::UsageError&) {
    read.refuse("worker_id", "is not a worker id");
  }
  acknowledgment.pid = read.integer<pid_t>("pid", 1);
  acknowledgment.hostname = read.text("hostname");
  acknowledgment.timestamp = read.number("timestamp");
  acknowledgment.waited_seconds = read.number("waited_seconds");
  acknowledgment.run_uid = read.optional_text("run_uid");
  return acknowledgment;
}

bool acknowledge(const CoordinationDirectory& directory, const Acknowledgment& acknowledgment,
                 const util::FileStamp& state_file) {
  const std::string name = acknowledgment_name(acknowledgment.worker_id);
  return translate_file_errors([&] {
    const auto handle = directory.open();
    if (!handle || !lock_briefly(*handle, LOCK_SH) || state_stamp(*handle) != state_file) {
      return false;
    }
    handle->link_file_atomically(name, to_json(acknowledgment));
    return true;
  });
}

} // namespace testmon_precreate::coordination
