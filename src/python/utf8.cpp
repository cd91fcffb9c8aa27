#include <testmon_precreate/python/utf8.hpp>

#include <algorithm>
#include <array>

namespace testmon_precreate::python {

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
  constexpr std::uint32_t continuation_bits = 0x3F;
  const auto lead_bits = static_cast<std::uint32_t>(0x7F >> lead->size);
  std::uint32_t value = byte(0) & lead_bits;
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

} // namespace testmon_precreate::python
