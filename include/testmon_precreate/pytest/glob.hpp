#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::pytest {

// What Python's sorted(glob.iglob(pattern, recursive=True)) yields in `directory`: names relative
// to it if the pattern is relative. Hidden names match only if the pattern part starts with a
// dot. Directories that cannot be read count as empty; a `**` does not follow a link into one of
// its own parents.
[[nodiscard]] std::vector<std::string> glob(std::string_view pattern,
                                            const std::filesystem::path& directory);

} // namespace testmon_precreate::pytest
