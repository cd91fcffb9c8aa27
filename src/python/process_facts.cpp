#include "testmon_precreate/python/process_facts.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/unicode.hpp>

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
    throw_wrong(fmt::format("the process facts have no key '{}'", key));
  }
  if (!value->is_string()) {
    throw_wrong(fmt::format("'{}' in the process facts is not a string", key));
  }
  return value->get<std::string>();
}

std::vector<std::string> list_of(const json& object, const char* key, bool required) {
  const json* value = find(object, key);
  if (value == nullptr && !required) {
    return {};
  }
  if (value == nullptr) {
    throw_wrong(fmt::format("the process facts have no key '{}'", key));
  }
  const auto is_text = [](const json& item) { return item.is_string(); };
  if (!value->is_array() || !std::all_of(value->begin(), value->end(), is_text)) {
    throw_wrong(fmt::format("'{}' in the process facts is not a list of strings", key));
  }
  return value->get<std::vector<std::string>>();
}

std::optional<std::string> optional_text(const json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return value.get<std::string>();
}

std::vector<Distribution> distributions_of(const json& object, const char* key) {
  std::vector<Distribution> distributions;
  const json* value = find(object, key);
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

// Python writes byte B of a file name that is not UTF-8 as the lone surrogate U+DC00+B, which is no
// valid JSON. It travels through the parser as the private-use character U+10FF00+B.
constexpr char32_t raw_byte_base = 0x10FF00;

std::string without_lone_surrogates(std::string_view text) {
  constexpr std::size_t escape_size = 6; // \uDC80
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::string escape = util::to_lower(text.substr(0, escape_size));
    std::size_t size = text.front() == '\\' ? 2 : 1;
    if (escape.starts_with("\\ud8") || escape.starts_with("\\ud9") || escape.starts_with("\\uda") ||
        escape.starts_with("\\udb")) {
      size = 2 * escape_size;
    } else if (escape.starts_with("\\udc") && escape.size() == escape_size) {
      result += "\\udbff\\udf";
      text.remove_prefix(4);
      size = 2;
    }
    result += text.substr(0, size);
    text.remove_prefix(std::min(size, text.size()));
  }
  return result;
}

std::string with_raw_bytes(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const util::CodePoint point = util::first_code_point(text);
    if (point.value >= raw_byte_base + 0x80) {
      result += static_cast<char>(point.value - raw_byte_base);
    } else {
      result += text.substr(0, point.size);
    }
    text.remove_prefix(point.size);
  }
  return result;
}

} // namespace

ProcessFacts parse_process_facts(std::string_view text) {
  json object;
  try {
    object =
        json::parse(text.find("\\u") == std::string_view::npos ? std::string(text)
                                                               : without_lone_surrogates(text));
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
  std::transform(facts.sys_path.begin(), facts.sys_path.end(), facts.sys_path.begin(),
                 with_raw_bytes);
  facts.working_directory = with_raw_bytes(facts.working_directory);
  if (facts.environment_name.empty()) {
    facts.environment_name = "default";
  }
  return facts;
}

} // namespace testmon_precreate::python
