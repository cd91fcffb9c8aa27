#include "testmon_precreate/core/errors.hpp"

#include <string_view>

namespace testmon_precreate::core {

namespace {

std::string message_of(const ErrorText& text) {
  std::string message = text.what;
  if (!text.where.empty()) {
    message += " (" + text.where + ")";
  }
  if (!text.hint.empty()) {
    message += ". " + text.hint;
  }
  return message;
}

// filesystem_error keeps the operation only inside what(): `filesystem error: OPERATION: REASON
// […]`.
std::string file_error_text(const std::filesystem::filesystem_error& error) {
  constexpr std::string_view prefix = "filesystem error: ";
  std::string_view text = error.what();
  if (text.starts_with(prefix)) {
    text.remove_prefix(prefix.size());
  }
  return "could not " + std::string(text.substr(0, text.find(':'))) + ": " + error.code().message();
}

} // namespace

CoordinationError::CoordinationError(const ErrorText& text, ExitCode code)
    : std::runtime_error(message_of(text))
    , exit_code_(code) {}

const char* CoordinationError::class_name() const noexcept {
  switch (exit_code_) {
  case ExitCode::usage:
    return "UsageError";
  case ExitCode::controller_not_ready:
    return "ControllerNotReady";
  case ExitCode::coordination_timeout:
    return "CoordinationTimeout";
  case ExitCode::invalid_coordination_state:
    return "InvalidCoordinationState";
  case ExitCode::coordination_file:
    return "CoordinationFileError";
  case ExitCode::worker_not_ready:
    return "WorkerNotReady";
  case ExitCode::database:
    return "DatabaseError";
  case ExitCode::coordination_busy:
    return "CoordinationBusy";
  case ExitCode::environment_probe:
    return "EnvironmentProbeError";
  case ExitCode::success:
  case ExitCode::failure:
    break;
  }
  return "CoordinationError";
}

ErrorText describe(const std::filesystem::filesystem_error& error) {
  return {.what = file_error_text(error), .where = error.path1().string(), .hint = ""};
}

} // namespace testmon_precreate::core
