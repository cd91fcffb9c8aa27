#pragma once

#include <testmon_precreate/pytest/command_line.hpp>

#include <optional>
#include <string_view>

namespace testmon_precreate::pytest {

// How many words an option takes: argparse's `nargs`.
enum class ValueCount {
  none,
  optional, // '?'
  one,      // the next word, or what follows `=` or a short option's letter
};

// What the option takes; nothing if it is not known.
[[nodiscard]] std::optional<ValueCount> value_count(std::string_view option, KnownOptions known);

} // namespace testmon_precreate::pytest
