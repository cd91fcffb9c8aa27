#pragma once

#include <testmon_precreate/cli/program.hpp>

#include <filesystem>

namespace testmon_precreate::cli {

// `run --audit`: the plugin has every test executed and writes down what testmon would have
// skipped. Failures among these are what selection would have missed.
class RunAudit {
public:
  // Makes an empty file for the plugin's reports. Throws std::filesystem::filesystem_error.
  RunAudit();
  ~RunAudit();

  RunAudit(const RunAudit&) = delete;
  RunAudit& operator=(const RunAudit&) = delete;
  RunAudit(RunAudit&&) = delete;
  RunAudit& operator=(RunAudit&&) = delete;

  // Is to be the value of TESTMON_XDIST_AUDIT.
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  // Tells what the command's runs have shown and returns the exit code of `run`: the command's, or
  // 1 in a strict run if something was missed. Without any report: a warning, and in a strict
  // run a core::CoordinationError.
  [[nodiscard]] int conclude(int exit_code, bool is_strict, const Program& program) const;

private:
  std::filesystem::path file_;
};

} // namespace testmon_precreate::cli
