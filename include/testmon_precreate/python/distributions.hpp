#pragma once

#include <testmon_precreate/python/metadata.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::python {

// What importlib.metadata.distributions() of `python` finds in the directories of `sys_path`, in no
// particular order and with its duplicates; what lies in archives is left to Python (see
// ProcessFacts::other_distributions). '' and relative entries are taken from `working_directory`.
// As there, what cannot be listed or opened for lack of permission is passed over.
// Throws EnvironmentProbeError if that function (or its caller reading a name) would raise:
// metadata that is not UTF-8, symbolic links in a circle, a damaged disk.
[[nodiscard]] std::vector<Distribution>
find_distributions(std::span<const std::string> sys_path,
                   const std::filesystem::path& working_directory, PythonVersion python);

} // namespace testmon_precreate::python
