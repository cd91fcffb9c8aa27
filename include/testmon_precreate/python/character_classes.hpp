#pragma once

#include <testmon_precreate/python/python_version.hpp>

#include <cstdint>

namespace testmon_precreate::python {

// The classes of Python's `re` for str: what \w and \d match in that version of Python, whose
// Unicode version decides (a newer Python than 3.13 counts as 3.13), and \s, the same in all.
[[nodiscard]] bool is_word_character(std::uint32_t code_point, PythonVersion python);
[[nodiscard]] bool is_decimal_digit(std::uint32_t code_point, PythonVersion python);
[[nodiscard]] bool is_white_space(std::uint32_t code_point);

} // namespace testmon_precreate::python
