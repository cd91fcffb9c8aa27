#pragma once

#include <testmon_precreate/util/version.hpp>

#include <string_view>

namespace testmon_precreate::python {

// An interpreter's version; the first two numbers change how importlib.metadata works.
using PythonVersion = util::Version;

// Reads `3.11.7`. Throws EnvironmentProbeError for anything else and
// for a Python older than 3.8, which has no importlib.metadata.
[[nodiscard]] PythonVersion parse_python_version(std::string_view text);

} // namespace testmon_precreate::python
