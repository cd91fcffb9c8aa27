#include "testmon_precreate/util/exec_arguments.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <unistd.h>

namespace testmon_precreate::util {

namespace {

std::vector<std::string> lines_of(const ProcessEnvironment& environment) {
  std::vector<std::string> lines;
  lines.reserve(environment.variables().size());
  for (const auto& [name, value] : environment.variables()) {
    lines.push_back(fmt::format("{}={}", name, value));
  }
  return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace

ExecArguments::ExecArguments(std::vector<std::string> arguments,
                             const ProcessEnvironment& environment)
    : arguments_(std::move(arguments))
    , environment_(lines_of(environment))
    , argv_(pointers_to(arguments_))
    , envp_(pointers_to(environment_)) {}

int ExecArguments::execute() const {
  ::execvpe(program(), argv(), envp());
  return errno;
}

} // namespace testmon_precreate::util
