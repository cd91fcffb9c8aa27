#include "testmon_precreate/python/python_version.hpp"
#include <testmon_precreate/core/errors.hpp>

#include <optional>
#include <string>

namespace testmon_precreate::python {

PythonVersion parse_python_version(std::string_view text) {
  const std::optional<PythonVersion> version = util::parse_version(text);
  if (!version) {
    throw core::EnvironmentProbeError({.what = "the version of Python cannot be read",
                                       .where = std::string(text),
                                       .hint = "expected one such as 3.11.7"});
  }
  if (*version < PythonVersion{3, 8}) {
    throw core::EnvironmentProbeError({.what = "this Python is too old",
                                       .where = "Python " + std::string(text),
                                       .hint = "Python 3.8 or newer is needed"});
  }
  return *version;
}

} // namespace testmon_precreate::python
