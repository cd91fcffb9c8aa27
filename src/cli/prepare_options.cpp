#include "testmon_precreate/cli/prepare_options.hpp"
#include <testmon_precreate/cli/common_options.hpp>

#include <limits>
#include <map>

namespace testmon_precreate::cli {

namespace {

constexpr std::size_t largest_facts = 64UL * 1024 * 1024;

} // namespace

void add_prepare_options(CLI::App& command, PrepareOptions& options) {
  PrepareRequest& request = options.request;
  add_project_options(command, request);
  command
      .add_option("-n,--workers", request.workers,
                  "Number of workers to expect (default: as -n after --)")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->type_name("N");
  command
      .add_option("--controller-pid", request.controller_pid,
                  "The process whose life the state is tied to (default: judged by age)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()))
      ->type_name("PID");
  add_text_option(command, "--run-uid", request.run_uid, "UID",
                  "The run's id, as xdist's --testrunuid");
  add_text_option(command, "--wait-for-run", options.wait_for_run, "S",
                  "Wait up to S seconds for another run in this rootdir to end (default: exit 9)");
  add_text_option(
      command, "--process-facts", options.process_facts, "FILE",
      "JSON facts of a live pytest process, a file or - for standard input; no interpreter "
      "is started then");
  add_keep_option(command, request.keep_environments, "Parked environments to keep per name");
  command
      .add_option("--private-copy", request.private_copy,
                  "Prepare a copy of the data file for this run alone, which `cleanup` removes: "
                  "never, needed (if the file cannot be written) or always. The state's "
                  "database_path, which TESTMON_DATAFILE must name then, tells where it is")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, PrivateCopy>{{"never", PrivateCopy::never},
                                             {"needed", PrivateCopy::needed},
                                             {"always", PrivateCopy::always}}))
      ->default_str("never")
      ->type_name("WHEN");
  command.add_flag_callback(
      "--no-upgrade", [&request] { request.allow_upgrade = false; },
      "Refuse a data file of another data version instead of rewriting it");
  command.add_flag("--rebuild", request.rebuild,
                   "Move a corrupt data file aside and start with a new one");
  auto* const quiet =
      command.add_flag("-q,--quiet", options.quiet, "Print errors and warnings only");
  command.add_flag("-v,--verbose", options.verbose, "Log what is done, with times, on stderr")
      ->excludes(quiet);
}

PrepareRequest make_prepare_request(const PrepareOptions& options, const Program& program) {
  PrepareRequest request = options.request;
  describe_run(request, program);
  if (options.process_facts) {
    request.process_facts = read_file_or_stdin(*options.process_facts, largest_facts);
  }
  request.run_uid = request.run_uid ? request.run_uid : program.settings.run_uid;
  if (options.wait_for_run) {
    request.wait_for_run = core::parse_seconds(*options.wait_for_run, "--wait-for-run");
  }
  request.warn = [&program](const std::string& text) { program.terminal.warning(text); };
  return request;
}

core::DebugLog make_log(const PrepareOptions& options, const Program& program) {
  return options.verbose ? core::DebugLog(program.terminal.err(), program.terminal.program())
                         : program.log;
}

} // namespace testmon_precreate::cli
