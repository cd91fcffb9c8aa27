#pragma once

#include <testmon_precreate/core/errors.hpp>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace testmon_precreate::coordination {

// Calls `operation`; what the file system reports leaves it as CoordinationFileError.
template <typename Operation>
decltype(auto) translate_file_errors(Operation&& operation) {
  try {
    return std::forward<Operation>(operation)();
  } catch (const std::filesystem::filesystem_error& error) {
    throw core::CoordinationFileError(error);
  }
}

// Whether the error says no more than that there is no such file. ESTALE: on a network file system,
// another host has replaced it meanwhile.
[[nodiscard]] inline bool is_absence(const std::filesystem::filesystem_error& error) {
  return error.code() == std::errc::no_such_file_or_directory || error.code().value() == ESTALE;
}

// The files by which processes take turns; see takeover.hpp.
inline constexpr const char* lock_name = ".lock";
inline constexpr std::string_view queue_prefix = ".queue.";

} // namespace testmon_precreate::coordination
