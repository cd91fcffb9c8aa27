#pragma once

#include <testmon_precreate/cli/program.hpp>

#include <CLI/CLI.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace testmon_precreate::cli {

// What the options of several commands have in common. Targets must outlive the parsing.

// An option whose value is shown as `type` in the help. An empty value counts as not given, as
// pytest has it too.
template <typename Target>
CLI::Option* add_text_option(CLI::App& command, const std::string& name,
                             std::optional<Target>& target, const char* type,
                             const std::string& help) {
  const auto set = [&target](const std::string& text) {
    if (!text.empty()) {
      target = text;
    }
  };
  return command.add_option_function<std::string>(name, set, help)->type_name(type);
}

// --keep-environments.
void add_keep_option(CLI::App& command, std::size_t& keep, const std::string& help);

// The options that tell which run a command is about.
struct CoordinationOptions {
  std::optional<std::filesystem::path> rootdir;
  std::optional<std::filesystem::path> datafile;
  std::optional<std::string> run_uid;

  // Lets the options beat the variables.
  void apply_to(core::Settings& settings) const;
};

// Adds --rootdir, --datafile and --run-uid.
void add_coordination_options(CLI::App& command, CoordinationOptions& options,
                              const std::string& run_uid_help);

// The options that tell how to wait.
struct WaitOptions {
  std::optional<std::string> timeout;
  std::optional<std::string> interval;
  std::optional<std::string> backoff;
  std::optional<std::string> max_interval;
  std::optional<std::string> max_age;

  // Lets the options beat the variables. Throws UsageError that names the option.
  void apply_to(core::Settings& settings) const;
};

void add_wait_options(CLI::App& command, WaitOptions& options);

// Has `command` call `action`, unless the commands are switched off.
void set_action(CLI::App& command, const Program& program, std::function<void()> action);

// The content of `file`, or of standard input if that is `-`. Throws filesystem_error, also for
// more than `limit` bytes.
[[nodiscard]] std::string read_file_or_stdin(const std::string& file, std::size_t limit);

} // namespace testmon_precreate::cli
