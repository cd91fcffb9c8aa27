#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/python_version.hpp>

#include <charconv>
#include <string>

namespace testmon_precreate::python {

PythonVersion parse_python_version(std::string_view text) {
  PythonVersion version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  const bool has_minor = major.ec == std::errc() && major.ptr != end && *major.ptr == '.';
  if (!has_minor || std::from_chars(major.ptr + 1, end, version.minor).ec != std::errc()) {
    throw core::EnvironmentProbeError({.what = "the version of Python cannot be read",
                                       .where = std::string(text),
                                       .hint = "expected one such as 3.11.7"});
  }
  if (version < PythonVersion{3, 8}) {
    throw core::EnvironmentProbeError({.what = "this Python is too old",
                                       .where = "Python " + std::string(text),
                                       .hint = "Python 3.8 or newer is needed"});
  }
  return version;
}

} // namespace testmon_precreate::python
