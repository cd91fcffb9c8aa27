#include "testmon_precreate/python/interpreter.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

bool is_executable(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
}

std::optional<fs::path> find_on_path(const fs::path& name,
                                     const util::ProcessEnvironment& environment) {
  const std::string search_path = environment.get("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (const std::string_view directory : util::split(search_path, ':')) {
    // An empty entry means the working directory (POSIX).
    const fs::path candidate = fs::path(directory.empty() ? "." : directory) / name;
    if (is_executable(candidate)) {
      return fs::absolute(candidate);
    }
  }
  return std::nullopt;
}

fs::path find_wanted(const fs::path& wanted, const util::ProcessEnvironment& environment) {
  const bool is_path = wanted.string().find('/') != std::string::npos;
  if (is_path && is_executable(wanted)) {
    return fs::absolute(wanted);
  }
  if (!is_path) {
    if (auto found = find_on_path(wanted, environment)) {
      return *found;
    }
  }
  throw core::EnvironmentProbeError(
      {.what = "there is no such Python interpreter",
       .where = wanted.string(),
       .hint = "give an executable, or a name on PATH, with --python"});
}

} // namespace

fs::path find_interpreter(const std::optional<fs::path>& wanted,
                          const util::ProcessEnvironment& environment) {
  if (wanted.has_value()) {
    return find_wanted(*wanted, environment);
  }
  const std::string virtual_environment = environment.get("VIRTUAL_ENV").value_or("");
  if (!virtual_environment.empty()) {
    const fs::path python = fs::path(virtual_environment) / "bin" / "python";
    if (is_executable(python)) {
      return fs::absolute(python);
    }
  }
  for (const char* const name : {"python3", "python"}) {
    if (auto found = find_on_path(name, environment)) {
      return *found;
    }
  }
  throw core::EnvironmentProbeError(
      {.what = "no Python interpreter was found",
       .where = "looked for $VIRTUAL_ENV/bin/python, and for python3 and python on PATH",
       .hint = "activate the virtual environment or give --python"});
}

} // namespace testmon_precreate::python
