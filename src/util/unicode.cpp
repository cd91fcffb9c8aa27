#include <testmon_precreate/util/unicode.hpp>

#include <array>

namespace testmon_precreate::util {

namespace {

// The length of the well-formed UTF-8 sequence at `position` (Unicode, table 3-7); 0 for none.
std::size_t sequence_length(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) {
    return position + i < text.size() ? static_cast<unsigned char>(text[position + i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool valid = continues(1) && continues(2) && !(first == 0xE0 && second < 0xA0) &&
                       !(first == 0xED && second > 0x9F);
    return valid ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool valid = continues(1) && continues(2) && continues(3) &&
                       !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second > 0x8F);
    return valid ? 4 : 0;
  }
  return 0;
}

char32_t decode_sequence(std::string_view sequence) {
  constexpr std::array<unsigned, 5> lead_mask{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t character = static_cast<unsigned char>(sequence[0]) & lead_mask[sequence.size()];
  for (const char c : sequence.substr(1)) {
    character = (character << 6U) | (static_cast<unsigned char>(c) & 0x3FU);
  }
  return character;
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

std::optional<std::u32string> decode_utf8(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      return std::nullopt;
    }
    characters += decode_sequence(text.substr(i, length));
    i += length;
  }
  return characters;
}

std::u32string decode_surrogateescape(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      characters += static_cast<char32_t>(0xDC00U + static_cast<unsigned char>(text[i]));
      ++i;
    } else {
      characters += decode_sequence(text.substr(i, length));
      i += length;
    }
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
