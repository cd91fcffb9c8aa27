#include "character_tables.hpp"

#include <testmon_precreate/python/character_classes.hpp>

#include <algorithm>

namespace testmon_precreate::python {

namespace {

constexpr std::uint32_t first_beyond_ascii = 0x80;

constexpr bool is_ascii_digit(std::uint32_t point) { return point >= '0' && point <= '9'; }

constexpr bool is_ascii_word(std::uint32_t point) {
  return (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z') ||
         is_ascii_digit(point) || point == '_';
}

bool is_in(std::span<const CharacterRange> ranges, std::uint32_t point, PythonVersion python) {
  const auto range = std::lower_bound(
      ranges.begin(), ranges.end(), point,
      [](const CharacterRange& row, std::uint32_t value) { return row.last < value; });
  return range != ranges.end() && range->first <= point &&
         python >= PythonVersion{3, range->since_minor};
}

} // namespace

bool is_word_character(std::uint32_t code_point, PythonVersion python) {
  return code_point < first_beyond_ascii ? is_ascii_word(code_point)
                                         : is_in(word_characters(), code_point, python);
}

bool is_decimal_digit(std::uint32_t code_point, PythonVersion python) {
  return code_point < first_beyond_ascii ? is_ascii_digit(code_point)
                                         : is_in(decimal_digits(), code_point, python);
}

bool is_white_space(std::uint32_t code_point) {
  switch (code_point) {
  case ' ':
  case 0x85:
  case 0xA0:
  case 0x1680:
  case 0x2028:
  case 0x2029:
  case 0x202F:
  case 0x205F:
  case 0x3000:
    return true;
  default:
    return (code_point >= '\t' && code_point <= '\r') ||
           (code_point >= 0x1C && code_point <= 0x1F) ||
           (code_point >= 0x2000 && code_point <= 0x200A);
  }
}

} // namespace testmon_precreate::python
