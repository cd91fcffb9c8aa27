#pragma once

#include <testmon_precreate/util/process.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace testmon_precreate::python {

// What the interpreter that `call` starts writes to its standard output. Throws
// EnvironmentProbeError: it cannot be started, fails, or does not answer in time.
[[nodiscard]] std::string answer_of_interpreter(const util::ProcessCall& call);

// What comes after `mark` on the last line that begins with it, whatever else was written (a chatty
// sitecustomize); empty without such a line.
[[nodiscard]] std::string_view line_after(std::string_view output, std::string_view mark);

// Throws EnvironmentProbeError.
[[noreturn]] void throw_interpreter_failed(const std::filesystem::path& interpreter,
                                           std::string what);

} // namespace testmon_precreate::python
