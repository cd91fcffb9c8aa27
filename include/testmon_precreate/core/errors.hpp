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
  [[nodiscard]] virtual const char* class_name() const noexcept { return "CoordinationError"; }

protected:
  CoordinationError(const ErrorText& text, ExitCode code);

private:
  ExitCode exit_code_;
};

// Options, variables, worker ids.
class UsageError : public CoordinationError {
public:
  explicit UsageError(const ErrorText& text)
      : CoordinationError(text, ExitCode::usage) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "UsageError"; }
};

// The state's controller is gone, and no new state came in time.
class ControllerNotReady : public CoordinationError {
public:
  explicit ControllerNotReady(const ErrorText& text)
      : CoordinationError(text, ExitCode::controller_not_ready) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "ControllerNotReady"; }
};

// Nothing usable came in time.
class CoordinationTimeout : public CoordinationError {
public:
  explicit CoordinationTimeout(const ErrorText& text)
      : CoordinationError(text, ExitCode::coordination_timeout) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "CoordinationTimeout"; }
};

// A state or an acknowledgment that cannot be parsed or lacks a key.
class InvalidCoordinationState : public CoordinationError {
public:
  explicit InvalidCoordinationState(const ErrorText& text)
      : CoordinationError(text, ExitCode::invalid_coordination_state) {}

  [[nodiscard]] const char* class_name() const noexcept override {
    return "InvalidCoordinationState";
  }
};

// A file operation failed.
class CoordinationFileError : public CoordinationError {
public:
  explicit CoordinationFileError(const ErrorText& text)
      : CoordinationError(text, ExitCode::coordination_file) {}

  // `could not OPERATION: REASON (PATH)`.
  explicit CoordinationFileError(const std::filesystem::filesystem_error& error);

  [[nodiscard]] const char* class_name() const noexcept override { return "CoordinationFileError"; }
};

// Workers have not acknowledged in time.
class WorkerNotReady : public CoordinationError {
public:
  explicit WorkerNotReady(const ErrorText& text)
      : CoordinationError(text, ExitCode::worker_not_ready) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "WorkerNotReady"; }
};

// testmon's data file: corrupt, locked for too long, of an unknown version, on a full disk.
class DatabaseError : public CoordinationError {
public:
  explicit DatabaseError(const ErrorText& text)
      : CoordinationError(text, ExitCode::database) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "DatabaseError"; }
};

// Another run, whose controller is alive, holds the coordination directory.
class CoordinationBusy : public CoordinationError {
public:
  explicit CoordinationBusy(const ErrorText& text)
      : CoordinationError(text, ExitCode::coordination_busy) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "CoordinationBusy"; }
};

// No interpreter, no testmon in it, a version that cannot work under xdist, a failing probe.
class EnvironmentProbeError : public CoordinationError {
public:
  explicit EnvironmentProbeError(const ErrorText& text)
      : CoordinationError(text, ExitCode::environment_probe) {}

  [[nodiscard]] const char* class_name() const noexcept override { return "EnvironmentProbeError"; }
};

} // namespace testmon_precreate::core
