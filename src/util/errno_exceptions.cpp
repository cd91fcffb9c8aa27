#include "testmon_precreate/util/errno_exceptions.hpp"

#include <cerrno>
#include <system_error>

namespace testmon_precreate::util {

bool is_absence(int error) noexcept { return error == ENOENT || error == ESTALE; }

void throw_errno(const std::string& operation, int error) {
  throw std::system_error(error, std::generic_category(), operation);
}

void throw_errno(const char* operation, const std::filesystem::path& path, int error) {
  throw std::filesystem::filesystem_error(operation, path,
                                          std::error_code(error, std::generic_category()));
}

} // namespace testmon_precreate::util
