#pragma once

#include <filesystem>

namespace testmon_precreate::cli {

// The directory of this program's executable, links resolved.
[[nodiscard]] std::filesystem::path executable_directory();

// The directory that holds the package `testmon_precreate`: as installed beside `executables`, as
// configured at build time, or in the source tree that `executables` was built in.
// Throws core::CoordinationFileError that names the places looked at.
[[nodiscard]] std::filesystem::path plugin_directory(const std::filesystem::path& executables);

} // namespace testmon_precreate::cli
