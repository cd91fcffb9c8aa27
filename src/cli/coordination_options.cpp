#include "testmon_precreate/cli/coordination_options.hpp"
#include <testmon_precreate/cli/common_options.hpp>

namespace testmon_precreate::cli {

void CoordinationOptions::apply_to(core::Settings& settings) const {
  if (datafile) {
    settings.datafile = datafile;
  }
  if (run_uid) {
    settings.run_uid = run_uid;
  }
}

void add_coordination_options(CLI::App& command, CoordinationOptions& options,
                              const std::string& run_uid_help) {
  add_text_option(command, "--rootdir", options.rootdir, "DIR",
                  "pytest's rootdir (default: the working directory or the nearest parent that has "
                  "a coordination directory)");
  add_text_option(command, "--datafile", options.datafile, "FILE",
                  "testmon's data file, which the coordination directory lies beside (default: "
                  "$TESTMON_DATAFILE, else .testmondata)");
  add_text_option(command, "--run-uid", options.run_uid, "UID", run_uid_help);
}

} // namespace testmon_precreate::cli
