#include "testmon_precreate/util/unicode.hpp"

#include <algorithm>
#include <array>

namespace testmon_precreate::util {

namespace {

// One row of table 3-7: by the lead byte, the size and the range of the second byte.
struct Lead {
  unsigned char first;
  unsigned char last;
  unsigned char size;
  unsigned char second_first;
  unsigned char second_last;
};

constexpr std::array<Lead, 8> leads{{{0xC2, 0xDF, 2, 0x80, 0xBF},
                                     {0xE0, 0xE0, 3, 0xA0, 0xBF},
                                     {0xE1, 0xEC, 3, 0x80, 0xBF},
                                     {0xED, 0xED, 3, 0x80, 0x9F},
                                     {0xEE, 0xEF, 3, 0x80, 0xBF},
                                     {0xF0, 0xF0, 4, 0x90, 0xBF},
                                     {0xF1, 0xF3, 4, 0x80, 0xBF},
                                     {0xF4, 0xF4, 4, 0x80, 0x8F}}};

constexpr bool is_between(unsigned char byte, unsigned char first, unsigned char last) {
  return byte >= first && byte <= last;
}

constexpr char32_t first_escape = 0xDC80;
constexpr char32_t last_escape = 0xDCFF;

void append_utf8(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) {
    text += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0U | (c >> 6U));
    add(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    add(0xE0U | (c >> 12U));
    add(0x80U | ((c >> 6U) & 0x3FU));
    add(0x80U | (c & 0x3FU));
  } else {
    add(0xF0U | (c >> 18U));
    add(0x80U | ((c >> 12U) & 0x3FU));
    add(0x80U | ((c >> 6U) & 0x3FU));
    add(0x80U | (c & 0x3FU));
  }
}

} // namespace

CodePoint first_code_point(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    return {.value = byte(0), .size = 1};
  }
  const auto* const lead = std::find_if(leads.begin(), leads.end(), [&](const Lead& row) {
    return is_between(byte(0), row.first, row.last);
  });
  if (lead == leads.end() || text.size() < lead->size ||
      !is_between(byte(1), lead->second_first, lead->second_last)) {
    return {};
  }
  constexpr char32_t continuation_bits = 0x3F;
  const auto lead_bits = static_cast<char32_t>(0x7F >> lead->size);
  char32_t value = byte(0) & lead_bits;
  for (std::size_t i = 1; i < lead->size; ++i) {
    if (!is_between(byte(i), 0x80, 0xBF)) {
      return {};
    }
    value = (value << 6U) | (byte(i) & continuation_bits);
  }
  return {.value = value, .size = lead->size};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = first_code_point(text).size;
    if (size == 0) {
      return false;
    }
    text.remove_prefix(size);
  }
  return true;
}

std::optional<std::u32string> decode_utf8(std::string_view text) {
  if (!is_utf8(text)) {
    return std::nullopt;
  }
  return decode_surrogateescape(text);
}

std::u32string decode_surrogateescape(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    characters += point.size > 0 ? point.value : 0xDC00U + static_cast<unsigned char>(text[0]);
    text.remove_prefix(std::max<std::size_t>(point.size, 1));
  }
  return characters;
}

std::string encode_surrogateescape(std::u32string_view characters) {
  std::string text;
  text.reserve(characters.size());
  for (const char32_t c : characters) {
    if (c >= first_escape && c <= last_escape) {
      text += static_cast<char>(static_cast<unsigned char>(c - 0xDC00U));
    } else {
      append_utf8(text, c);
    }
  }
  return text;
}

bool is_unicode_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

} // namespace testmon_precreate::util
