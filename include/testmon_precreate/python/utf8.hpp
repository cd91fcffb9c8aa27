#pragma once

#include <cstdint>
#include <string_view>

namespace testmon_precreate::python {

// A code point and the number of bytes that spell it.
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t size = 0; // 0: not UTF-8
};

// The first code point of `text`, which must not be empty. Strict as Python's codec: no overlong
// forms, no surrogates, nothing above U+10FFFF (Unicode 15, table 3-7).
[[nodiscard]] CodePoint first_code_point(std::string_view text);

// Whether Python could decode all of `text`.
[[nodiscard]] bool is_utf8(std::string_view text);

} // namespace testmon_precreate::python
