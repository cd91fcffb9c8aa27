#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <string_view>

namespace testmon_precreate::core {

// The log that TESTMON_XDIST_DEBUG switches on: a line a message, with the wall clock's time, the
// program and its pid. Formats nothing while it is off.
class DebugLog {
public:
  // A log that is off.
  DebugLog() = default;

  // Logs to `sink`, which must outlive the log.
  DebugLog(std::ostream& sink, std::string program)
      : sink_(&sink)
      , program_(std::move(program)) {}

  template <typename... Arguments>
  void operator()(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    if (sink_ != nullptr) {
      write(fmt::format(format, std::forward<Arguments>(arguments)...));
    }
  }

private:
  void write(std::string_view message) const;

  std::ostream* sink_ = nullptr;
  std::string program_;
};

} // namespace testmon_precreate::core
