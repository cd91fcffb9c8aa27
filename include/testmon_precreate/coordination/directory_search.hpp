#pragma once

#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/core/settings.hpp>

#include <filesystem>
#include <optional>

namespace testmon_precreate::coordination {

// The coordination directory of `rootdir` by the settings. If the place beside the data file cannot
// be written, it is a directory of this user's in the temporary directory ($TMPDIR, else /tmp),
// named after that place. One that TESTMON_XDIST_DIR names is taken as it is.
[[nodiscard]] std::filesystem::path coordination_directory_of(const std::filesystem::path& rootdir,
                                                              const core::Settings& settings);

// Where a command looks for the coordination directory: that of `rootdir` if it is given; else that
// of `start` or the nearest of its parents that has one; that of `start` if none has. One beside
// the data file counts even if it can no longer be written. `start` must be absolute.
[[nodiscard]] std::filesystem::path
find_coordination_directory(const std::filesystem::path& start,
                            const std::optional<std::filesystem::path>& rootdir,
                            const core::Settings& settings);

// The rootdir to which `directory` belongs by its path; nothing if the path does not tell.
[[nodiscard]] std::optional<std::filesystem::path>
rootdir_of(const CoordinationDirectory& directory, const core::Settings& settings);

} // namespace testmon_precreate::coordination
