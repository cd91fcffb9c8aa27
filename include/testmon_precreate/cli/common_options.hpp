#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
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

// The content of `file`, or of standard input if that is `-`. Throws filesystem_error, also for
// more than `limit` bytes.
[[nodiscard]] std::string read_file_or_stdin(const std::string& file, std::size_t limit);

} // namespace testmon_precreate::cli
