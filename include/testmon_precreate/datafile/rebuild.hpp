#pragma once

#include <filesystem>
#include <optional>

namespace testmon_precreate::datafile {

// Renames `file`, and its log with it, to `<file>.damaged-<n>`, the first n that is free; deletes
// nothing. Nothing if another process has moved or replaced the file since this one looked at
// it. Returns the new name. Throws std::filesystem::filesystem_error.
std::optional<std::filesystem::path> move_aside(const std::filesystem::path& file);

} // namespace testmon_precreate::datafile
