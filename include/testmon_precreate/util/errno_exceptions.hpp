#pragma once

#include <filesystem>
#include <string>

namespace testmon_precreate::util {

// What failed and why, from an errno value.

// Whether `error` says no more than that there is no such file. ESTALE: on a network file system,
// another host has replaced it meanwhile.
[[nodiscard]] bool is_absence(int error) noexcept;

// Throws std::system_error.
[[noreturn]] void throw_errno(const std::string& operation, int error);

// Throws std::filesystem::filesystem_error, which names `path`.
[[noreturn]] void throw_errno(const char* operation, const std::filesystem::path& path, int error);

} // namespace testmon_precreate::util
