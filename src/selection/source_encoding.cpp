#include "source_encoding.hpp"

#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace testmon_precreate::selection {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t\f";

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// Takes the first line off `rest`, as bytes.splitlines() ends it.
std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
  rest.remove_prefix(line.size());
  rest.remove_prefix(rest.starts_with("\r\n") ? 2 : std::min<std::size_t>(rest.size(), 1));
  return line;
}

// tokenize.cookie_re: ^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)
std::string_view declared_in(std::string_view line) {
  constexpr std::string_view word = "coding";
  const std::size_t first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos || line[first] != '#') {
    return {};
  }
  for (std::size_t at = line.find(word, first); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    std::string_view rest = line.substr(at + word.size());
    if (!rest.starts_with(':') && !rest.starts_with('=')) {
      continue;
    }
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    const auto* const end = std::find_if_not(rest.begin(), rest.end(), is_name_character);
    if (end != rest.begin()) {
      return rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    }
  }
  return {};
}

bool is_blank_or_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(blanks);
  return first == std::string_view::npos || line[first] == '#';
}

// The encoding's name in lower case with `-`; "utf-8" without a declaration; nothing if Python
// refuses it.
std::optional<std::string> declared_encoding(std::string_view source) {
  for (int number = 0; number < 2 && !source.empty(); ++number) {
    const std::string_view line = take_line(source);
    if (!util::decode_utf8(line)) {
      return std::nullopt;
    }
    if (const std::string_view name = declared_in(line); !name.empty()) {
      std::string lower = util::to_lower(name);
      std::replace(lower.begin(), lower.end(), '_', '-');
      return lower;
    }
    if (!is_blank_or_comment(line)) {
      break;
    }
  }
  return "utf-8";
}

bool is_utf8(std::string_view name) { return name == "utf-8" || name.starts_with("utf-8-"); }

bool has_one_byte_a_character(std::string_view name) {
  constexpr std::array<std::string_view, 9> names{"ascii",  "us-ascii",   "latin-1",
                                                  "latin1", "iso-8859-1", "iso-8859-15",
                                                  "cp1251", "cp1252",     "koi8-r"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

std::optional<std::size_t> decoded_length(std::string_view source) {
  const bool marked = source.starts_with(byte_order_mark);
  if (marked) {
    source.remove_prefix(byte_order_mark.size());
  }
  const std::optional<std::string> encoding = declared_encoding(source);
  if (!encoding || (marked && !is_utf8(*encoding))) {
    return std::nullopt;
  }
  if (has_one_byte_a_character(*encoding)) {
    return source.size();
  }
  if (!is_utf8(*encoding) && *encoding != "utf8") {
    return std::nullopt;
  }
  if (is_ascii(source)) {
    return source.size();
  }
  const auto characters = util::decode_utf8(source);
  return characters ? std::optional(characters->size()) : std::nullopt;
}

} // namespace testmon_precreate::selection
