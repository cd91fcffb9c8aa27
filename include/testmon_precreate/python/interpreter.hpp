#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <optional>

namespace testmon_precreate::python {

// The interpreter to ask: `wanted` (a path, or a name looked up on PATH), else
// $VIRTUAL_ENV/bin/python, else python3, else python on PATH. The result is absolute but not
// resolved: a virtual environment is known by the link. Throws EnvironmentProbeError that names
// what was looked for.
[[nodiscard]] std::filesystem::path
find_interpreter(const std::optional<std::filesystem::path>& wanted,
                 const util::ProcessEnvironment& environment);

} // namespace testmon_precreate::python
