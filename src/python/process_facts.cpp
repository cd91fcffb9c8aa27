#include "testmon_precreate/python/process_facts.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/core/json_text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace testmon_precreate::python {

namespace {

using nlohmann::json;

[[noreturn]] void throw_wrong(std::string what) {
  throw core::UsageError({.what = std::move(what),
                          .where = "--process-facts",
                          .hint = "expected the JSON object that the pytest plugin writes"});
}

// Nothing if it is missing or null. Throws if it is `required`.
const json* find(const json& object, const char* key, bool required) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) {
    return &*found;
  }
  if (required) {
    throw_wrong(fmt::format("the process facts have no key '{}'", key));
  }
  return nullptr;
}

std::string text_of(const json& object, const char* key, bool required) {
  const json* value = find(object, key, required);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_string()) {
    throw_wrong(fmt::format("'{}' in the process facts is not a string", key));
  }
  return core::from_json_string(value->get_ref<const std::string&>());
}

std::vector<std::string> list_of(const json& object, const char* key, bool required) {
  const json* value = find(object, key, required);
  if (value == nullptr) {
    return {};
  }
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_text)) {
    throw_wrong(fmt::format("'{}' in the process facts is not a list of strings", key));
  }
  std::vector<std::string> texts;
  for (const json& item : *value) {
    texts.push_back(core::from_json_string(item.get_ref<const std::string&>()));
  }
  return texts;
}

std::optional<std::string> optional_text(const json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return core::from_json_string(value.get<std::string>());
}

std::vector<Distribution> distributions_of(const json& object, const char* key) {
  std::vector<Distribution> distributions;
  const json* value = find(object, key, false);
  if (value == nullptr) {
    return distributions;
  }
  try {
    for (const json& item : *value) {
      distributions.push_back(
          {.name = optional_text(item.at(0)), .version = optional_text(item.at(1))});
    }
  } catch (const json::exception&) {
    throw_wrong(fmt::format("'{}' in the process facts is not a list of pairs", key));
  }
  return distributions;
}

} // namespace

ProcessFacts parse_process_facts(std::string_view text) {
  json object;
  try {
    object = json::parse(core::with_stand_ins(text));
  } catch (const json::exception& error) {
    throw_wrong(fmt::format("the process facts are not JSON: {}", error.what()));
  }
  if (!object.is_object()) {
    throw_wrong("the process facts are not a JSON object");
  }
  ProcessFacts facts{.sys_path = list_of(object, "sys_path", true),
                     .python_version = text_of(object, "python_version", true),
                     .testmon_version = text_of(object, "testmon_version", true),
                     .pytest_version = text_of(object, "pytest_version", false),
                     .environment_name = text_of(object, "environment_name", false),
                     .ignore_dependencies = list_of(object, "ignore_dependencies", false),
                     .working_directory = text_of(object, "working_directory", false),
                     .other_distributions = distributions_of(object, "other_distributions")};
  if (facts.environment_name.empty()) {
    facts.environment_name = "default";
  }
  return facts;
}

} // namespace testmon_precreate::python
