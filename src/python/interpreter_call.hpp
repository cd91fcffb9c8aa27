#pragma once

#include <testmon_precreate/util/process.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate::python {

// What the interpreter that `call` starts writes to its standard output. Throws
// EnvironmentProbeError: it cannot be started, fails, or does not answer in time.
[[nodiscard]] std::string answer_of_interpreter(const util::ProcessCall& call);

// Throws EnvironmentProbeError.
[[noreturn]] void throw_interpreter_failed(const std::filesystem::path& interpreter,
                                           std::string what);

} // namespace testmon_precreate::python
