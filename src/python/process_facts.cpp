#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/process_facts.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace testmon_precreate::python {

namespace {

using nlohmann::json;

[[noreturn]] void throw_wrong(std::string what) {
  throw core::UsageError({.what = std::move(what),
                          .where = "--process-facts",
                          .hint = "expected the JSON object that the pytest plugin writes"});
}

const json* find(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string text_of(const json& object, const char* key, bool required) {
  const json* value = find(object, key);
  if (value == nullptr && !required) {
    return {};
  }
  if (value == nullptr) {
    throw_wrong(fmt::format("the process facts lack the key '{}'", key));
  }
  if (!value->is_string()) {
    throw_wrong(fmt::format("'{}' in the process facts is not a text", key));
  }
  return value->get<std::string>();
}

std::vector<std::string> list_of(const json& object, const char* key, bool required) {
  const json* value = find(object, key);
  if (value == nullptr && !required) {
    return {};
  }
  if (value == nullptr) {
    throw_wrong(fmt::format("the process facts lack the key '{}'", key));
  }
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_text)) {
    throw_wrong(fmt::format("'{}' in the process facts is not a list of texts", key));
  }
  return value->get<std::vector<std::string>>();
}

} // namespace

ProcessFacts parse_process_facts(std::string_view text) {
  json object;
  try {
    object = json::parse(text);
  } catch (const json::parse_error& error) {
    throw_wrong(fmt::format("the process facts are not JSON: {}", error.what()));
  }
  if (!object.is_object()) {
    throw_wrong("the process facts are not a JSON object");
  }
  ProcessFacts facts{.sys_path = list_of(object, "sys_path", true),
                     .python_version = text_of(object, "python_version", true),
                     .testmon_version = text_of(object, "testmon_version", true),
                     .environment_name = text_of(object, "environment_name", false),
                     .ignore_dependencies = list_of(object, "ignore_dependencies", false),
                     .working_directory = text_of(object, "working_directory", false)};
  if (facts.environment_name.empty()) {
    facts.environment_name = "default";
  }
  return facts;
}

} // namespace testmon_precreate::python
