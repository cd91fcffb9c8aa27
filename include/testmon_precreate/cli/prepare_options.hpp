#pragma once

#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/controller.hpp>

#include <optional>
#include <string>

namespace testmon_precreate::cli {

// The options that `prepare` and `run` share.
struct PrepareOptions {
  PrepareRequest request;                   // as far as they are its fields
  std::optional<std::string> process_facts; // a file
  std::optional<std::string> wait_for_run;  // seconds
  bool quiet = false;
  bool verbose = false;
};

// Adds the options to `command`; `options` must outlive the parsing.
void add_prepare_options(CLI::App& command, PrepareOptions& options);

// The request that the options, the variables and the arguments after `--` make together. Reads
// the file of --process-facts. Throws std::filesystem::filesystem_error for that file, and
// UsageError for a --wait-for-run that is no number of seconds.
[[nodiscard]] PrepareRequest make_prepare_request(const PrepareOptions& options,
                                                  const Program& program);

// The debug log: --verbose switches it on, as TESTMON_XDIST_DEBUG does.
[[nodiscard]] core::DebugLog make_log(const PrepareOptions& options, const Program& program);

} // namespace testmon_precreate::cli
