#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <string>
#include <vector>

namespace testmon_precreate::util {

// A program's arguments and environment as exec(3) and posix_spawn(3) take them. Made before a
// fork and used after it, when nothing may be allocated.
class ExecArguments {
public:
  // `arguments` is not empty; its first one is the program, looked up on PATH.
  ExecArguments(std::vector<std::string> arguments, const ProcessEnvironment& environment);
  ~ExecArguments() = default;
  ExecArguments(const ExecArguments&) = delete; // a copy would point into the original
  ExecArguments& operator=(const ExecArguments&) = delete;
  ExecArguments(ExecArguments&&) = delete;
  ExecArguments& operator=(ExecArguments&&) = delete;

  [[nodiscard]] const char* program() const { return arguments_.front().c_str(); }

  // Null-terminated; valid as long as this object lives.
  [[nodiscard]] char* const* argv() const { return argv_.data(); }

  [[nodiscard]] char* const* envp() const { return envp_.data(); }

  // Replaces this process by the program; returns errno if that fails.
  [[nodiscard]] int execute() const;

private:
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
};

} // namespace testmon_precreate::util
