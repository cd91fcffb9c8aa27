#pragma once

#include <string_view>

namespace testmon_precreate::python {

// The part of an interpreter's version that changes how importlib.metadata works.
struct PythonVersion {
  int major = 0;
  int minor = 0;

  friend bool operator==(const PythonVersion&, const PythonVersion&) = default;

  friend constexpr bool operator<(const PythonVersion& left, const PythonVersion& right) {
    return left.major != right.major ? left.major < right.major : left.minor < right.minor;
  }

  friend constexpr bool operator>=(const PythonVersion& left, const PythonVersion& right) {
    return !(left < right);
  }
};

// Reads `3.11.7`; a micro version is not needed. Throws EnvironmentProbeError for anything else and
// for a Python older than 3.8, which has no importlib.metadata.
[[nodiscard]] PythonVersion parse_python_version(std::string_view text);

} // namespace testmon_precreate::python
