#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace testmon_precreate::selection {

// The number of characters that Python makes of `source` with the encoding that
// tokenize.detect_encoding finds for it (PEP 263). Nothing if Python would refuse the
// declaration, for bytes that are not of that encoding, and for encodings that are not known here:
// all but UTF-8 and those of one byte a character.
[[nodiscard]] std::optional<std::size_t> decoded_length(std::string_view source);

} // namespace testmon_precreate::selection
