#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::pytest {

// Splits as Python's shlex.split(text) does (posix mode, no comments). Throws UsageError, which
// names `source`, for a quotation that is not closed and for an escape at the end.
[[nodiscard]] std::vector<std::string> split_shell_words(std::string_view text,
                                                         std::string_view source);

} // namespace testmon_precreate::pytest
