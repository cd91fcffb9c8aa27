#pragma once

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/errno_exceptions.hpp>

#include <filesystem>
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

} // namespace testmon_precreate::coordination
