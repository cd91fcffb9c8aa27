#pragma once

#include <testmon_precreate/core/json_text.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace testmon_precreate::core {

// Takes values out of a JSON object. Every member throws InvalidCoordinationState, which
// names the source and the key, for a key that is missing, of a wrong type or out of range.
class JsonReader {
public:
  // Both must outlive the reader. `prefix` comes before a key's name in messages.
  JsonReader(const nlohmann::json& object, const std::string& source, std::string prefix = {});

  [[nodiscard]] bool has(const char* key) const { return object_->contains(key); }

  [[nodiscard]] bool is_null(const char* key) const { return at(key).is_null(); }

  // The bytes of a string (see json_text.hpp) without a NUL, which none of them can hold.
  [[nodiscard]] std::string text(const char* key) const;

  [[nodiscard]] std::string non_empty_text(const char* key) const;

  // Nothing for null.
  [[nodiscard]] std::optional<std::string> optional_text(const char* key) const;

  [[nodiscard]] bool boolean(const char* key) const;

  // A finite number that is not negative.
  [[nodiscard]] double number(const char* key) const;

  [[nodiscard]] JsonReader object(const char* key) const;

  // A whole number in [smallest, the largest Integer].
  template <typename Integer>
  [[nodiscard]] Integer integer(const char* key, std::type_identity_t<Integer> smallest = 0) const {
    const nlohmann::json& value = at(key);
    if (!value.is_number_integer()) {
      refuse(key, "must be a whole number");
    }
    const auto checked = [&](auto number) {
      if (!std::in_range<Integer>(number) || static_cast<Integer>(number) < smallest) {
        refuse(key, "is out of range");
      }
      return static_cast<Integer>(number);
    };
    return value.is_number_unsigned() ? checked(value.get<std::uint64_t>())
                                      : checked(value.get<std::int64_t>());
  }

  // Throws the error for `key`.
  [[noreturn]] void refuse(const char* key, const std::string& what) const;

private:
  [[nodiscard]] const nlohmann::json& at(const char* key) const;

  const nlohmann::json* object_;
  const std::string* source_;
  std::string prefix_;
};

} // namespace testmon_precreate::core
