#pragma once

#include <testmon_precreate/util/process.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate::python {

// What the interpreter that `call` starts writes after `mark` on the last line that begins with it,
// whatever else it writes (a chatty sitecustomize); empty without such a line. Throws
// EnvironmentProbeError: it cannot be started, fails, or does not answer in time.
[[nodiscard]] std::string answer_of_interpreter(const util::ProcessCall& call,
                                                const std::string& mark);

// Throws EnvironmentProbeError.
[[noreturn]] void throw_interpreter_failed(const std::filesystem::path& interpreter,
                                           std::string what);

} // namespace testmon_precreate::python
