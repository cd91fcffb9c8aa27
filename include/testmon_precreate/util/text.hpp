#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace testmon_precreate::util {

// `text` without ASCII white space at both ends.
[[nodiscard]] std::string_view strip(std::string_view text);

// The parts of `text` between `separator`s; an empty text gives one empty part.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// A copy with A-Z turned into a-z; other bytes stay.
[[nodiscard]] std::string to_lower(std::string_view text);

// `text` as one word of a POSIX shell: in single quotes, safe for any byte but NUL.
[[nodiscard]] std::string shell_quote(std::string_view text);

// Python's zlib.crc32(text).
[[nodiscard]] std::uint32_t crc32(std::string_view text);

// All of `text` as a decimal number; nothing if it is anything else.
template <typename Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole ? std::optional(number) : std::nullopt;
}

// `1 test`, `2 tests`.
[[nodiscard]] std::string counted(std::size_t count, std::string_view thing);

} // namespace testmon_precreate::util
