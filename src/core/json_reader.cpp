#include "testmon_precreate/core/json_reader.hpp"
#include <testmon_precreate/core/errors.hpp>

#include <cmath>

namespace testmon_precreate::core {

using nlohmann::json;

JsonReader::JsonReader(const json& object, const std::string& source, std::string prefix)
    : object_(&object)
    , source_(&source)
    , prefix_(std::move(prefix)) {
  if (!object.is_object()) {
    throw InvalidCoordinationState(
        {.what = "it is not a JSON object", .where = source, .hint = ""});
  }
}

std::string JsonReader::text(const char* key) const {
  const json& value = at(key);
  if (!value.is_string()) {
    refuse(key, "must be a string");
  }
  std::string bytes = from_json_string(value.get_ref<const std::string&>());
  if (bytes.find('\0') != std::string::npos) {
    refuse(key, "holds a NUL");
  }
  return bytes;
}

std::string JsonReader::non_empty_text(const char* key) const {
  std::string bytes = text(key);
  if (bytes.empty()) {
    refuse(key, "is empty");
  }
  return bytes;
}

std::optional<std::string> JsonReader::optional_text(const char* key) const {
  const json& value = at(key);
  if (value.is_null()) {
    return std::nullopt;
  }
  if (!value.is_string()) {
    refuse(key, "must be a string or null");
  }
  return text(key);
}

bool JsonReader::boolean(const char* key) const {
  const json& value = at(key);
  if (!value.is_boolean()) {
    refuse(key, "must be true or false");
  }
  return value.get<bool>();
}

double JsonReader::number(const char* key) const {
  const json& value = at(key);
  if (!value.is_number()) {
    refuse(key, "must be a number");
  }
  const auto number = value.get<double>();
  if (!std::isfinite(number) || number < 0) {
    refuse(key, "is out of range");
  }
  return number;
}

JsonReader JsonReader::object(const char* key) const {
  const json& value = at(key);
  if (!value.is_object()) {
    refuse(key, "must be an object");
  }
  return {value, *source_, prefix_ + key + '.'};
}

const json& JsonReader::at(const char* key) const {
  const auto found = object_->find(key);
  if (found == object_->end()) {
    refuse(key, "is missing");
  }
  return *found;
}

void JsonReader::refuse(const char* key, const std::string& what) const {
  throw InvalidCoordinationState(
      {.what = '\'' + prefix_ + key + "' " + what, .where = *source_, .hint = ""});
}

} // namespace testmon_precreate::core
