#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/current_tree.hpp>
#include <testmon_precreate/datafile/merge.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace testmon_precreate::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
  RunRequest run; // --rootdir
  datafile::MergeRequest request;
  std::optional<fs::path> into;
  bool force = false;
  bool json = false;
  bool quiet = false;
};

constexpr const char* description =
    "Combines data files of one project, such as those of the jobs that share a test suite: of "
    "each test the newest execution is kept, whole. The files that are read stay as they are; the "
    "one that is merged into changes in one step or not at all.";

constexpr const char* footer =
    "Examples:\n"
    "  testmon-precreate merge shards/*/.testmondata\n"
    "  testmon-precreate merge --base .testmondata shards/*/.testmondata\n"
    "  testmon-precreate merge --into all.testmondata mine.testmondata yours.testmondata\n"
    "\n"
    "--base names the file that all of them started from. With it, a test that was not executed "
    "since does not count as one of theirs, a test that all of them have dropped goes, and the "
    "time that they saved is added up.";

// One line a second at most, from the first second on.
std::function<void(std::size_t, std::size_t)> make_progress(const Program& program) {
  return [&program, last = std::chrono::steady_clock::now()](std::size_t done,
                                                             std::size_t all) mutable {
    const auto now = std::chrono::steady_clock::now();
    if (now - last >= std::chrono::seconds(1)) {
      last = now;
      program.terminal.note(fmt::format("{} of {} tests ({} %)", done, all, 100 * done / all));
    }
  };
}

using core::to_json_string;
using nlohmann::ordered_json;

ordered_json to_json(const datafile::MergeReport& report, const fs::path& target) {
  ordered_json inputs = ordered_json::array();
  for (const datafile::MergedInput& input : report.inputs) {
    inputs.push_back(
        {{"path", to_json_string(input.file.string())},
         {"problem",
          input.problem.empty() ? ordered_json() : ordered_json(to_json_string(input.problem))},
         {"tests", input.tests},
         {"new", input.added},
         {"newer", input.newer},
         {"ignored", input.ignored()}});
  }
  return {{"database_path", to_json_string(target.string())},
          {"data_version", report.data_version},
          {"created", report.created},
          {"tests", report.tests},
          {"dropped", report.dropped},
          {"inputs", inputs}};
}

void print_summary(const datafile::MergeReport& report, const fs::path& target, bool dry_run,
                   const Terminal& terminal) {
  for (const datafile::MergedInput& input : report.inputs) {
    if (input.problem.empty()) {
      terminal.out() << fmt::format("{}: {} tests, {} new, {} newer, {} ignored\n",
                                    input.file.string(), input.tests, input.added, input.newer,
                                    input.ignored());
    }
  }
  const std::string dropped =
      report.dropped == 0 ? "" : fmt::format(", {} dropped", report.dropped);
  terminal.out() << fmt::format("{}: {} tests{}{}{}\n", target.string(), report.tests, dropped,
                                report.created ? ", a new file" : "",
                                dry_run ? " (nothing was written)" : "");
}

void merge_command(const Options& options, const Program& program) {
  RunRequest run = options.run;
  describe_run(run, program);
  const fs::path rootdir = find_project(run).rootdir;
  const fs::path own = rootdir / program.settings.datafile_path();
  datafile::MergeRequest request = options.request;
  request.target = options.into.value_or(own);
  request.disk = compare_with_tree(rootdir, program.environment);
  request.progress = make_progress(program);
  const bool is_own = fs::weakly_canonical(request.target) == fs::weakly_canonical(own);
  if (is_own && !options.force && !request.dry_run) {
    refuse_while_a_run_is_at_work(rootdir, program.settings);
  }
  const datafile::MergeReport report = datafile::merge(request);
  for (const datafile::MergedInput& input : report.inputs) {
    if (!input.problem.empty()) {
      program.terminal.warning(fmt::format("left out: {} {}", input.file.string(), input.problem));
    }
  }
  if (options.json) {
    program.terminal.out() << core::dump_json(to_json(report, request.target));
  } else if (!options.quiet) {
    print_summary(report, request.target, request.dry_run, program.terminal);
  }
}

void add_file_options(CLI::App& command, Options& options) {
  command.add_option("FILE", options.request.inputs, "Data files to merge")
      ->required()
      ->type_name("");
  add_text_option(command, "--into", options.into, "FILE",
                  "The file to merge into, made if it does not exist (default: the project's data "
                  "file)");
  add_text_option(command, "--base", options.request.base, "FILE",
                  "The file that all of them started from; may be the one that is merged into");
  add_rootdir_option(command, options.run);
}

} // namespace

void add_merge_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("merge", description)->footer(footer);
  add_file_options(*command, *options);
  command->add_flag("--skip-damaged", options->request.skip_bad_inputs,
                    "Go on without files that cannot be merged");
  command->add_flag("--any-project", options->request.accept_other_project,
                    "Also files whose tests depend on nothing that is here");
  command->add_flag("--force", options->force, "Also while a run is at work");
  command->add_flag("--dry-run", options->request.dry_run,
                    "Report what would be done, write nothing");
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->add_flag("-q,--quiet", options->quiet, "Print errors and warnings only");
  set_action(*command, program, [options, &program] { merge_command(*options, program); });
}

} // namespace testmon_precreate::cli
