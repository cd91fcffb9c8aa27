#include "testmon_precreate/python/probe.hpp"

#include "interpreter_call.hpp"
#include "scripts.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/python_version.hpp>
#include <testmon_precreate/python/testmon_version.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace testmon_precreate::python {

namespace {

// The expression that the interpreter has to evaluate; empty: a name is given, or testmon's
// default.
std::string expression_of(const ProbeRequest& request) {
  return request.environment_name.value_or("").empty() ? request.environment_expression : "";
}

ProcessFacts ask_interpreter(const ProbeRequest& request) {
  std::vector<std::string> command{request.interpreter.string(), "-c", probe_script,
                                   expression_of(request)};
  for (const std::filesystem::path& addition : request.sys_path_additions) {
    command.push_back(addition.string());
  }
  const std::string answer = answer_of_interpreter({.arguments = std::move(command),
                                                    .working_directory = request.working_directory,
                                                    .environment = request.environment,
                                                    .standard_input = {},
                                                    .timeout = request.timeout},
                                                   "testmon-precreate-probe:");
  try {
    return parse_process_facts(answer);
  } catch (const core::UsageError&) {
    throw_interpreter_failed(request.interpreter, "the interpreter did not answer the probe");
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

void check_facts(const ProbeRequest& request, const ProcessFacts& facts) {
  static_cast<void>(parse_python_version(facts.python_version));
  if (facts.testmon_version.empty()) {
    throw core::EnvironmentProbeError(
        {.what = "this Python has no pytest-testmon",
         .where = request.interpreter.string(),
         .hint = how_to_install(request.interpreter) +
                 ", or give the interpreter that runs pytest with --python"});
  }
  static_cast<void>(data_version_of_testmon(facts.testmon_version));
}

} // namespace

ProcessFacts probe_interpreter(const ProbeRequest& request) {
  ProcessFacts facts = ask_interpreter(request);
  check_facts(request, facts);
  if (!request.environment_name.value_or("").empty()) {
    facts.environment_name = *request.environment_name;
  }
  facts.ignore_dependencies = request.ignore_dependencies;
  facts.working_directory = request.working_directory.string();
  return facts;
}

} // namespace testmon_precreate::python
