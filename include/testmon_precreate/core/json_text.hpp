#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace testmon_precreate::core {

// Paths are bytes, JSON is Unicode. Bytes that are not UTF-8 stand in our files, and in what the
// plugin sends, as Python's os.fsdecode writes them with json.dumps: byte 0xNN as the lone
// surrogate `\udcNN` (PEP 383), so that a Python reader gets the path back with os.fsencode.
// nlohmann::json knows no lone surrogates; between text and value such a byte therefore is one
// character of the private range U+EF80…U+EFFF (as OPTU-8 does it), and a character of that range
// is itself three such bytes. Nothing is lost either way.

// `bytes` as the UTF-8 text to put into a JSON value.
[[nodiscard]] std::string to_json_string(std::string_view bytes);

// The bytes that a string of a JSON value stands for.
[[nodiscard]] std::string from_json_string(std::string_view text);

// `value` as a file's text: its keys in their order, indented by two, ending in a newline.
[[nodiscard]] std::string dump_json(const nlohmann::ordered_json& value);

// The text of a JSON file with the characters for such bytes in place of lone surrogates. All else,
// right or wrong, is left to the parser.
[[nodiscard]] std::string with_stand_ins(std::string_view text);

// The value of `text`. Throws InvalidCoordinationState that names `source`: for text that is
// not JSON, is longer than `limit` bytes, or nests deeper than any file of ours. Memory and stack
// stay bounded by the limit, whatever the text is.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, std::size_t limit,
                                        const std::string& source);

} // namespace testmon_precreate::core
