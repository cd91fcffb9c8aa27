#include "interpreter_call.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <string_view>
#include <system_error>

namespace testmon_precreate::python {

namespace {

// The line in which a traceback says what went wrong.
std::string last_line(std::string_view text) {
  text = util::strip(text);
  const std::size_t newline = text.rfind('\n');
  return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
}

} // namespace

std::string answer_of_interpreter(const util::ProcessCall& call, const std::string& mark) {
  const std::string& interpreter = call.arguments.front();
  util::ProcessOutput output;
  try {
    output = util::run_process(call);
  } catch (const std::system_error& error) {
    throw_interpreter_failed(
        interpreter, fmt::format("the Python interpreter cannot be started: {}", error.what()));
  }
  if (output.timed_out) {
    throw_interpreter_failed(
        interpreter, fmt::format("the Python interpreter did not answer within {:g} seconds",
                                 call.timeout.count()));
  }
  if (output.exit_code != 0) {
    throw_interpreter_failed(interpreter,
                             fmt::format("the Python interpreter ended with exit code {}: {}",
                                         output.exit_code, last_line(output.standard_error)));
  }
  const std::string& text = output.standard_output;
  const std::size_t line = text.rfind('\n' + mark);
  if (line == std::string::npos) {
    return {};
  }
  const std::size_t start = line + 1 + mark.size();
  return text.substr(start, text.find('\n', start) - start);
}

void throw_interpreter_failed(const std::filesystem::path& interpreter, std::string what) {
  throw core::EnvironmentProbeError(
      {.what = std::move(what),
       .where = interpreter.string(),
       .hint = "give the interpreter that runs pytest with --python, or activate its environment"});
}

} // namespace testmon_precreate::python
