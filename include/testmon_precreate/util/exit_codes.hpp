#pragma once

#include <cerrno>

#include <sys/wait.h>

namespace testmon_precreate::util {

// Exit codes as a shell has them.

// Of a process that signal `number` ended.
[[nodiscard]] constexpr int exit_code_of_signal(int number) { return 128 + number; }

// Of an ended process, from its wait status (wait(2)).
[[nodiscard]] inline int exit_code_of_status(int status) {
  return WIFSIGNALED(status) ? exit_code_of_signal(WTERMSIG(status)) : WEXITSTATUS(status);
}

// Of a command that could not be executed, from errno.
[[nodiscard]] constexpr int exit_code_of_exec_error(int error) {
  return error == ENOENT || error == ENOTDIR ? 127 : 126;
}

} // namespace testmon_precreate::util
