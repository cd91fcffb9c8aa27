#include <testmon_precreate/cli/coordination_options.hpp>

#include <CLI/CLI.hpp>

namespace testmon_precreate::cli {

std::optional<std::filesystem::path> CoordinationOptions::rootdir_path() const {
  return rootdir.empty() ? std::nullopt : std::optional<std::filesystem::path>(rootdir);
}

void CoordinationOptions::apply_to(core::Settings& settings) const {
  if (!datafile.empty()) {
    settings.datafile = datafile;
  }
}

std::optional<std::string> CoordinationOptions::run_uid_or(const core::Settings& settings) const {
  return run_uid.empty() ? settings.run_uid : std::optional(run_uid);
}

void add_coordination_options(CLI::App& command, CoordinationOptions& options, const std::string& run_uid_help) {
  add_text_option(command, "--rootdir", options.rootdir, "DIR",
                  "pytest's rootdir (default: the working directory or the nearest parent that has "
                  "a coordination directory)");
  add_text_option(command, "--datafile", options.datafile, "FILE",
                  "testmon's data file, which the coordination directory lies beside (default: "
                  "$TESTMON_DATAFILE, else .testmondata)");
  add_text_option(command, "--run-uid", options.run_uid, "UID", run_uid_help);
}

CLI::Option* add_text_option(CLI::App& command, const std::string& name, std::string& target,
                             const char* type, const std::string& help) {
  return command.add_option(name, target, help)->type_name(type);
}

} // namespace testmon_precreate::cli
