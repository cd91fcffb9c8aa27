#pragma once

#include <cerrno>
#include <filesystem>
#include <string>

namespace testmon_precreate::util {

// System calls that fail: what failed and why, from an errno value.

// What `call` returns, which is called again as long as a signal interrupts it (EINTR).
template <typename Call>
[[nodiscard]] auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) {
    result = call();
  }
  return result;
}

// Whether `error` says no more than that there is no such file. ESTALE: on a network file system,
// another host has replaced it meanwhile.
[[nodiscard]] bool is_absence(int error) noexcept;

// Throws std::system_error.
[[noreturn]] void throw_errno(const std::string& operation, int error);

// Throws std::filesystem::filesystem_error, which names `path`.
[[noreturn]] void throw_errno(const char* operation, const std::filesystem::path& path, int error);

} // namespace testmon_precreate::util
