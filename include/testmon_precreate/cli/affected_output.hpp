#pragma once

#include <testmon_precreate/affected.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <ostream>
#include <string>

namespace testmon_precreate::cli {

// What `affected` and `explain` print alike.

[[nodiscard]] nlohmann::ordered_json to_json_value(const Affected& affected);

// The changed files, those of most tests first, the unknown test files, and a line with the sums.
// At most `most_lines` of each.
void print_affected(const Affected& affected, std::size_t most_lines, std::ostream& out);

} // namespace testmon_precreate::cli
