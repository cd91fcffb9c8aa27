#include <testmon_precreate/cli/prepare_options.hpp>
#include <testmon_precreate/util/files.hpp>

#include <CLI/CLI.hpp>

#include <limits>
#include <map>

namespace testmon_precreate::cli {

namespace {

constexpr int most_kept = 1'000'000;

constexpr std::size_t largest_facts = 64UL * 1024 * 1024;

std::string read_facts(const std::string& source) {
  return util::read_file(source == "-" ? "/dev/stdin" : source, largest_facts);
}

} // namespace

void add_prepare_options(CLI::App& command, PrepareOptions& options) {
  add_project_options(command, options);
  command
      .add_option("-n,--workers", options.workers,
                  "Number of workers to expect (default: as -n behind --)")
      ->check(CLI::Range(0, std::numeric_limits<int>::max()))
      ->type_name("N");
  command
      .add_option("--controller-pid", options.controller_pid,
                  "The process whose life the state is tied to (default: judged by age)")
      ->check(CLI::Range(1, std::numeric_limits<int>::max()))
      ->type_name("PID");
  command.add_option("--run-uid", options.run_uid, "The run's id, as xdist's --testrunuid")
      ->type_name("UID");
  command
      .add_option("--wait-for-run", options.wait_for_run,
                  "Wait up to S seconds for another run in this rootdir to end (default: exit 9)")
      ->type_name("S");
  command
      .add_option(
          "--process-facts", options.process_facts,
          "JSON facts of a live pytest process, a file or - for standard input; no interpreter "
          "is started then")
      ->type_name("FILE");
  command
      .add_option("--keep-environments", options.keep_environments,
                  "Parked environments to keep per name")
      ->capture_default_str()
      ->check(CLI::Range(0, most_kept))
      ->type_name("N");
  command
      .add_option("--private-copy", options.private_copy,
                  "Prepare a copy of the data file for this run alone, which `cleanup` removes: "
                  "never, needed (if the file cannot be written) or always. The state's "
                  "database_path, which TESTMON_DATAFILE must name then, tells where it is")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, PrivateCopy>{{"never", PrivateCopy::never},
                                             {"needed", PrivateCopy::needed},
                                             {"always", PrivateCopy::always}}))
      ->default_str("never")
      ->type_name("WHEN");
  command.add_flag("--no-upgrade", options.no_upgrade,
                   "Refuse a data file of another data version instead of rewriting it");
  command.add_flag("--rebuild", options.rebuild, "Move a corrupt data file aside and start anew");
  auto* const quiet =
      command.add_flag("-q,--quiet", options.quiet, "Print errors and warnings only");
  command.add_flag("-v,--verbose", options.verbose, "Log what is done, with times, on stderr")
      ->excludes(quiet);
}

PrepareRequest make_prepare_request(const PrepareOptions& options, const Program& program) {
  PrepareRequest request;
  describe_run(request, options, program);
  if (!options.process_facts.empty()) {
    request.process_facts = read_facts(options.process_facts);
  }
  if (options.controller_pid != 0) {
    request.controller_pid = options.controller_pid;
  }
  request.run_uid = options.run_uid.empty() ? program.settings.run_uid
                                            : std::optional<std::string>(options.run_uid);
  request.workers = options.workers;
  if (!options.wait_for_run.empty()) {
    request.wait_for_run = core::parse_seconds(options.wait_for_run, "--wait-for-run");
  }
  request.keep_environments = options.keep_environments;
  request.allow_upgrade = !options.no_upgrade;
  request.rebuild = options.rebuild;
  request.private_copy = options.private_copy;
  request.warn = [&program](const std::string& text) { program.terminal.warning(text); };
  request.dry_run = options.dry_run;
  return request;
}

core::DebugLog make_log(const PrepareOptions& options, const Program& program) {
  return options.verbose ? core::DebugLog(program.terminal.err(), program.terminal.program())
                         : program.log;
}

} // namespace testmon_precreate::cli
