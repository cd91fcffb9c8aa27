#pragma once

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <filesystem>
#include <string_view>
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

[[nodiscard]] inline bool is_absence(const std::filesystem::filesystem_error& error) {
  return util::is_absence(error.code().value());
}

// The files by which processes take turns; see takeover.hpp.
inline constexpr const char* lock_name = ".lock";
inline constexpr std::string_view queue_prefix = ".queue.";

} // namespace testmon_precreate::coordination
