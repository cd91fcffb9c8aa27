#include "interpreter_call.hpp"
#include "probe_cache.hpp"
#include "probe_script.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/probe.hpp>
#include <testmon_precreate/python/python_version.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace testmon_precreate::python {

namespace {

ProbeAnswer ask_interpreter(const ProbeRequest& request) {
  const std::string output = answer_of_interpreter({.arguments = probe_command(request),
                                                    .working_directory = request.working_directory,
                                                    .environment = request.environment,
                                                    .standard_input = {},
                                                    .timeout = request.timeout});
  try {
    return parse_probe_answer(output);
  } catch (const std::invalid_argument& error) {
    throw_interpreter_failed(request.interpreter, error.what());
  }
}

// Whether `INTERPRETER -m pip install` works, by what lies on the disk: distributions like Debian
// 12 come without pip, or close the system's Python to it; uv makes virtual environments without
// pip.
bool pip_installs_into(const std::filesystem::path& prefix) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(prefix / "lib", error)) {
    if (std::filesystem::exists(entry.path() / "site-packages" / "pip", error)) {
      return !std::filesystem::exists(entry.path() / "EXTERNALLY-MANAGED", error);
    }
  }
  return false;
}

// How pytest-testmon gets to `interpreter`, or to one that can have it.
std::string how_to_install(const std::filesystem::path& interpreter) {
  const std::filesystem::path prefix = interpreter.parent_path().parent_path();
  const std::string quoted = util::shell_quote(interpreter.string());
  std::error_code error;
  if (pip_installs_into(prefix)) {
    return fmt::format("install it with `{} -m pip install pytest-testmon`", quoted);
  }
  if (std::filesystem::exists(prefix / "pyvenv.cfg", error)) {
    return fmt::format("install it with `uv pip install --python {} pytest-testmon`", quoted);
  }
  return fmt::format("make a virtual environment that has it, `{} -m venv .venv && .venv/bin/pip "
                     "install pytest-testmon pytest-xdist`, and activate it",
                     quoted);
}

void check_answer(const ProbeRequest& request, const ProbeAnswer& answer) {
  static_cast<void>(parse_python_version(answer.python_version));
  if (answer.testmon_version.empty()) {
    throw core::EnvironmentProbeError(
        {.what = "this Python has no pytest-testmon",
         .where = request.interpreter.string(),
         .hint = how_to_install(request.interpreter) +
                 ", or give the interpreter that runs pytest with --python"});
  }
  static_cast<void>(data_version_of_testmon(answer.testmon_version));
}

std::string environment_name(const ProbeRequest& request, std::string evaluated) {
  if (request.environment_name.has_value() && !request.environment_name->empty()) {
    return *request.environment_name;
  }
  return evaluated.empty() ? "default" : std::move(evaluated);
}

} // namespace

ProcessFacts probe_interpreter(const ProbeRequest& request) {
  const ProbeCache cache(request.environment);
  std::optional<ProbeAnswer> answer;
  if (!needs_evaluation(request)) {
    answer = cache.find(request);
  }
  if (!answer.has_value()) {
    const auto start = std::chrono::system_clock::now();
    answer = ask_interpreter(request);
    check_answer(request, *answer);
    if (!needs_evaluation(request) && request.may_write_cache) {
      cache.store(request, *answer, start);
    }
  }
  return {.sys_path = std::move(answer->sys_path),
          .python_version = std::move(answer->python_version),
          .testmon_version = std::move(answer->testmon_version),
          .environment_name = environment_name(request, std::move(answer->environment_name)),
          .ignore_dependencies = request.ignore_dependencies,
          .working_directory = request.working_directory.string(),
          .other_distributions = std::move(answer->other_distributions)};
}

} // namespace testmon_precreate::python
