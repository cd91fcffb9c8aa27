#pragma once

#include <testmon_precreate/core/settings.hpp>

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace testmon_precreate::cli {

// The options that tell how to wait.
struct WaitOptions {
  std::optional<std::string> timeout;
  std::optional<std::string> interval;
  std::optional<std::string> backoff;
  std::optional<std::string> max_interval;
  std::optional<std::string> max_age;
};

// Adds the options to `command`; `options` must outlive the parsing.
void add_wait_options(CLI::App& command, WaitOptions& options);

// Lets the options that are given beat the variables. Throws UsageError that names the option.
void apply_wait_options(const WaitOptions& options, core::Settings& settings);

} // namespace testmon_precreate::cli
