#include "testmon_precreate/core/json_text.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdint>
#include <optional>

namespace testmon_precreate::core {

namespace {

using nlohmann::json;

constexpr int deepest_nesting = 16;

constexpr unsigned char byte_of(char c) { return static_cast<unsigned char>(c); }

constexpr bool is_continuation(char c) { return (byte_of(c) & 0xC0U) == 0x80U; }

// Whether `text` starts with a character of U+EF80…U+EFFF, the range that stands for bytes.
bool starts_with_stand_in(std::string_view text) {
  return text.size() >= 3 && byte_of(text[0]) == 0xEE && byte_of(text[1]) >= 0xBE &&
         byte_of(text[1]) <= 0xBF && is_continuation(text[2]);
}

// U+EF00 + byte, in UTF-8; for bytes from 0x80.
void append_stand_in(std::string& target, unsigned char byte) {
  target += '\xEE';
  target += static_cast<char>(0xBC + (byte >> 6U));
  target += static_cast<char>(0x80 + (byte & 0x3FU));
}

unsigned char byte_of_stand_in(std::string_view character) {
  const auto high = static_cast<unsigned>(byte_of(character[1]) - 0xBCU);
  return static_cast<unsigned char>((high << 6U) | (byte_of(character[2]) & 0x3FU));
}

// The number of `\uXXXX` that `text` starts with.
std::optional<unsigned> escaped_unit(std::string_view text) {
  constexpr std::size_t length = 6;
  if (text.size() < length || text[0] != '\\' || text[1] != 'u') {
    return std::nullopt;
  }
  unsigned unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + length, unit, 16);
  if (error != std::errc() || end != text.data() + length) {
    return std::nullopt;
  }
  return unit;
}

constexpr bool is_between(unsigned unit, unsigned first, unsigned last) {
  return unit >= first && unit <= last;
}

[[noreturn]] void refuse(std::string what, const std::string& source) {
  throw InvalidCoordinationState(
      {.what = std::move(what),
       .where = source,
       .hint = "Remove it with `testmon-precreate cleanup`; the next `prepare` writes it again"});
}

// `[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while … - invalid
// literal; last read: '…'`: the position is enough, the rest may be a megabyte of the file.
std::string position_of(const json::exception& error) {
  std::string_view text = error.what();
  text.remove_prefix(std::min(text.find("] ") + 2, text.size()));
  return std::string(text.substr(0, std::min<std::size_t>(text.find(": "), 100)));
}

} // namespace

std::string to_json_string(std::string_view bytes) {
  std::u32string characters;
  for (const char32_t c : util::decode_surrogateescape(bytes)) {
    if (c >= 0xDC80 && c <= 0xDCFF) {
      characters += char32_t{0xEF00} + (c - char32_t{0xDC00});
    } else if (c >= 0xEF80 && c <= 0xEFFF) {
      // The three bytes of its own UTF-8.
      characters += {0xEFEE, 0xEF80 | (c >> 6U & 0x3FU), 0xEF80 | (c & 0x3FU)};
    } else {
      characters += c;
    }
  }
  return util::encode_surrogateescape(characters);
}

std::string from_json_string(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    if (starts_with_stand_in(text)) {
      bytes += static_cast<char>(byte_of_stand_in(text));
      text.remove_prefix(3);
    } else {
      bytes += text[0];
      text.remove_prefix(1);
    }
  }
  return bytes;
}

std::string dump_json(const nlohmann::ordered_json& value) {
  const std::string dumped = value.dump(2);
  std::string text;
  text.reserve(dumped.size() + 1);
  for (std::string_view left = dumped; !left.empty();) {
    if (starts_with_stand_in(left)) {
      text += fmt::format("\\udc{:02x}", byte_of_stand_in(left));
      left.remove_prefix(3);
    } else {
      text += left[0];
      left.remove_prefix(1);
    }
  }
  return text + '\n';
}

std::string with_stand_ins(std::string_view text) {
  if (text.find("\\u") == std::string_view::npos && text.find('\xEE') == std::string_view::npos) {
    return std::string(text);
  }
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = 1;
    if (starts_with_stand_in(text)) {
      length = 3;
      for (const char c : text.substr(0, length)) {
        append_stand_in(result, byte_of(c));
      }
    } else if (const auto unit = escaped_unit(text)) {
      length = 6;
      const auto low =
          is_between(*unit, 0xD800, 0xDBFF) ? escaped_unit(text.substr(length)) : std::nullopt;
      if (is_between(*unit, 0xDC80, 0xDCFF)) {
        append_stand_in(result, static_cast<unsigned char>(*unit - 0xDC00));
      } else if (is_between(*unit, 0xEF80, 0xEFFF)) {
        append_stand_in(result, 0xEE);
        append_stand_in(result, static_cast<unsigned char>(0x80U | ((*unit >> 6U) & 0x3FU)));
        append_stand_in(result, static_cast<unsigned char>(0x80U | (*unit & 0x3FU)));
      } else {
        length += low && is_between(*low, 0xDC00, 0xDFFF) ? 6U : 0U;
        result.append(text.substr(0, length));
      }
    } else {
      // A backslash goes with what it escapes: the second one of `\\udc80` starts nothing.
      length = text[0] == '\\' && text.size() > 1 ? 2 : 1;
      result.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return result;
}

json parse_json(std::string_view text, std::size_t limit, const std::string& source) {
  if (text.size() > limit) {
    refuse(fmt::format("it is larger than {} KiB", limit / 1024), source);
  }
  if (text.find('\0') != std::string_view::npos) {
    // The parser takes it for the end of the text.
    refuse("it is not valid JSON: it holds a NUL byte", source);
  }
  const auto check_depth = [&source](int depth, json::parse_event_t, json&) {
    if (depth > deepest_nesting) {
      refuse(fmt::format("it nests deeper than {} levels", deepest_nesting), source);
    }
    return true;
  };
  try {
    return json::parse(with_stand_ins(text), check_depth);
  } catch (const json::exception& error) {
    refuse("it is not valid JSON: " + position_of(error), source);
  }
}

} // namespace testmon_precreate::core
