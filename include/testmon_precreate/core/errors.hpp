#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace testmon_precreate::core {

// What the commands exit with; scripts rely on the numbers.
enum class ExitCode {
  success = 0,
  failure = 1,
  usage = 2,
  controller_not_ready = 3,
  coordination_timeout = 4,
  invalid_coordination_state = 5,
  coordination_file = 6,
  worker_not_ready = 7,
  database = 8,
  coordination_busy = 9,
  environment_probe = 10,
};

// The three things a message tells: what went wrong, where, and what to do. `where` and `hint` may
// be empty.
struct ErrorText {
  std::string what;
  std::string where;
  std::string hint;
};

// The base of every error that leaves a room. what() reads `WHAT (WHERE). HINT`.
class CoordinationError : public std::runtime_error {
public:
  explicit CoordinationError(const ErrorText& text)
      : CoordinationError(text, ExitCode::failure) {}

  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_code_; }

  // The class's name, as metrics and JSON output show it.
  [[nodiscard]] const char* class_name() const noexcept;

protected:
  CoordinationError(const ErrorText& text, ExitCode code);

private:
  ExitCode exit_code_;
};

// `could not OPERATION: REASON (PATH)`.
[[nodiscard]] ErrorText describe(const std::filesystem::filesystem_error& error);

// One class for each exit code.
template <ExitCode code>
class ErrorWith : public CoordinationError {
public:
  explicit ErrorWith(const ErrorText& text)
      : CoordinationError(text, code) {}

  explicit ErrorWith(const std::filesystem::filesystem_error& error) requires(
      code == ExitCode::coordination_file)
      : ErrorWith(describe(error)) {}
};

// Options, variables, worker ids.
using UsageError = ErrorWith<ExitCode::usage>;

// The state's controller is gone, and no new state came in time.
using ControllerNotReady = ErrorWith<ExitCode::controller_not_ready>;

// Nothing usable came in time.
using CoordinationTimeout = ErrorWith<ExitCode::coordination_timeout>;

// A state or an acknowledgment that cannot be parsed or lacks a key.
using InvalidCoordinationState = ErrorWith<ExitCode::invalid_coordination_state>;

// A file operation failed.
using CoordinationFileError = ErrorWith<ExitCode::coordination_file>;

// Workers have not acknowledged in time.
using WorkerNotReady = ErrorWith<ExitCode::worker_not_ready>;

// testmon's data file: corrupt, locked for too long, of an unknown version, on a full disk.
using DatabaseError = ErrorWith<ExitCode::database>;

// Another run, whose controller is alive, holds the coordination directory.
using CoordinationBusy = ErrorWith<ExitCode::coordination_busy>;

// No interpreter, no testmon in it, a version that cannot work under xdist, a failing probe.
using EnvironmentProbeError = ErrorWith<ExitCode::environment_probe>;

} // namespace testmon_precreate::core
