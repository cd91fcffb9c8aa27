#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace testmon_precreate::util {

// A character and the number of bytes that spell it.
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0; // 0: not UTF-8
};

// The first character of `text`, which must not be empty. Strict as Python's codec: no overlong
// forms, no surrogates, nothing above U+10FFFF (Unicode 15, table 3-7).
[[nodiscard]] CodePoint first_code_point(std::string_view text);

// Whether Python could decode all of `text`.
[[nodiscard]] bool is_utf8(std::string_view text);

// The characters of a UTF-8 text; nothing if it is not well-formed.
[[nodiscard]] std::optional<std::u32string> decode_utf8(std::string_view text);

// The characters of `text`; a byte that is not part of a well-formed UTF-8 sequence becomes U+DC00
// + byte, as under Python's error handler surrogateescape.
[[nodiscard]] std::u32string decode_surrogateescape(std::string_view text);

// `characters` as UTF-8; a character from decode_surrogateescape becomes its byte again.
[[nodiscard]] std::string encode_surrogateescape(std::u32string_view characters);

// Whether Python's str.isspace() holds for the character.
[[nodiscard]] bool is_unicode_space(char32_t character);

} // namespace testmon_precreate::util
