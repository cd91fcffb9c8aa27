#include <testmon_precreate/cli/affected_output.hpp>
#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/sharding.hpp>
#include <testmon_precreate/util/text.hpp>

#include <nlohmann/json.hpp>

#include <memory>

namespace testmon_precreate::cli {

namespace {

using nlohmann::ordered_json;

struct Options {
  AffectedRequest request;
  std::optional<std::string> shard;
  std::optional<std::string> target_seconds;
  std::optional<std::string> tests_from;
  std::size_t most_shards = 16;
  bool json = false;
  bool files = false;
  bool tests = false;
  bool count = false;
  bool plan = false;
  bool exit_code = false;
};

constexpr int nothing_to_run = 5; // as pytest's own exit code: no tests collected
constexpr std::size_t most_lines = 20;

constexpr const char* description =
    "Shows which recorded tests the changes of the working tree can affect, without running "
    "anything and without Python: all those that testmon will run, and perhaps more, because it "
    "compares whole files (see --exact). Reads the data file and writes nothing to it.";

constexpr const char* footer =
    "Examples:\n"
    "  testmon-precreate affected\n"
    "  testmon-precreate affected --exit-code; test $? -eq 5 && echo nothing to run\n"
    "  testmon-precreate affected --exact --tests -- tests/unit\n"
    "  testmon-precreate affected --since-file base/.testmondata --json\n"
    "  testmon-precreate affected --shard 2/5 --files\n"
    "  testmon-precreate affected --target-seconds 60 --json | jq -c .shards";

// One test a line.
std::unordered_set<std::string> read_tests(const std::string& source) {
  constexpr std::size_t largest = 1U << 30U;
  const std::string text = read_file_or_stdin(source, largest);
  std::unordered_set<std::string> tests;
  for (const std::string_view line : util::split(text, '\n')) {
    tests.emplace(line);
  }
  return tests;
}

AffectedRequest make_request(const Options& options, const Program& program) {
  AffectedRequest request = options.request;
  describe_run(request, program);
  if (options.tests_from) {
    request.given_tests = read_tests(*options.tests_from);
  }
  return request;
}

// What is affected, and of it what the shard runs if there is one.
struct Answer {
  Affected affected;
  ShardMaterial material;
  std::optional<core::Shard> shard;
  std::optional<selection::ShardPlan> plan;
  std::string plan_id;
  std::optional<std::size_t> shards_that_pay_off;
};

Answer find_answer(const Options& options, const Program& program) {
  Answer answer;
  answer.affected = find_affected(make_request(options, program), program.log);
  answer.shard = options.shard ? core::parse_shard(*options.shard, "--shard", program.environment)
                               : program.settings.shard;
  if (answer.shard || options.target_seconds) {
    answer.material = find_shard_material(answer.affected);
  }
  if (options.target_seconds) {
    answer.shards_that_pay_off =
        count_shards(answer.affected, answer.material,
                     core::parse_positive_seconds(*options.target_seconds, "--target-seconds"),
                     options.most_shards);
  }
  if (answer.shard) {
    const std::size_t count = answer.shard->count;
    answer.plan.emplace(answer.material.tests, count, answer.material.together);
    answer.plan_id = plan_id(answer.affected, answer.material, count);
    restrict_to_shard(answer.affected, *answer.plan, *answer.shard);
  }
  return answer;
}

// The plan as the plugin reads it; null without a shard.
ordered_json describe_plan(const Answer& answer) {
  if (!answer.plan) {
    return nullptr;
  }
  const core::Shard& shard = *answer.shard;
  const bool by_group = answer.material.together == selection::Together::groups;
  ordered_json value{{"shard", core::to_string(shard)},
                     {"index", shard.index},
                     {"count", shard.count},
                     {"together", by_group ? "groups" : ""},
                     {"id", answer.plan_id},
                     {"nothing_to_run", answer.affected.nothing_to_run()},
                     {"seconds", nullptr},
                     {"owners", std::vector<std::vector<std::string>>(shard.count)}};
  if (!answer.material.by_size) {
    value["seconds"] = ordered_json::array();
    for (const util::Seconds duration : answer.plan->durations()) {
      value["seconds"].push_back(duration.count());
    }
  }
  for (const auto& [name, owner] : answer.plan->owners()) {
    value["owners"][owner].push_back(core::to_json_string(name));
  }
  return value;
}

ordered_json describe(const Answer& answer) {
  ordered_json value = to_json_value(answer.affected);
  if (answer.shard) {
    value["shard"] = core::to_string(*answer.shard);
  }
  if (answer.shards_that_pay_off) {
    const std::size_t count = *answer.shards_that_pay_off;
    value["shard_count"] = count;
    value["shards"] = ordered_json::array(); // as the matrix of a pipeline takes it
    for (std::size_t index = 0; index < count; ++index) {
      value["shards"].push_back(core::to_string({.index = index, .count = count}));
    }
  }
  return value;
}

void print_table(const Answer& answer, std::ostream& out) {
  print_affected(answer.affected, most_lines, out);
  if (answer.shard) {
    out << "shard " << core::to_string(*answer.shard) << '\n';
  }
  if (answer.shards_that_pay_off) {
    out << util::counted(*answer.shards_that_pay_off, "shard") << " would pay off\n";
  }
}

void print(const Options& options, const Answer& answer, std::ostream& out) {
  const Affected& affected = answer.affected;
  if (options.json || options.plan) {
    out << core::dump_json(options.json ? describe(answer) : describe_plan(answer));
  } else if (options.count) {
    out << affected.tests.size() << '\n';
  } else if (options.files) {
    for (const std::string& file : affected.test_files_to_run()) {
      out << file << '\n';
    }
  } else if (options.tests) {
    for (const AffectedTest& test : affected.tests) {
      out << test.name << '\n';
    }
  } else {
    print_table(answer, out);
  }
}

int affected_command(const Options& options, const Program& program) {
  const Answer answer = find_answer(options, program);
  for (const std::string& warning : answer.affected.warnings) {
    program.terminal.warning(warning);
  }
  print(options, answer, program.terminal.out());
  return options.exit_code && answer.affected.nothing_to_run() ? nothing_to_run : 0;
}

void add_shard_options(CLI::App& command, Options& options) {
  add_text_option(command, "--shard", options.shard, "N/COUNT",
                  "Only what this machine runs of it: N/COUNT, such as 2/5, or auto for the "
                  "variables of GitLab, CircleCI and Buildkite (default: $TESTMON_XDIST_SHARD)");
  add_text_option(command, "--target-seconds", options.target_seconds, "S",
                  "Also tell how many shards pay off if each is to run tests for about S seconds");
  command
      .add_option("--most-shards", options.most_shards,
                  "The most of them; also their number if nothing is recorded yet")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}))
      ->type_name("N");
  add_text_option(command, "--tests-from", options.tests_from, "FILE",
                  "Compare nothing: the recorded tests to run stand in FILE, or come from standard "
                  "input if it is -, one a line");
}

} // namespace

void add_affected_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("affected", description)->footer(footer);
  add_project_options(*command, options->request);
  add_text_option(*command, "--since-file", options->request.since_file, "FILE",
                  "Compare with this data file instead, such as that of the merge base");
  command->add_flag("--exact", options->request.exact,
                    "Ask the interpreter that runs pytest, once, which functions have changed: "
                    "exactly what testmon will run");
  add_shard_options(*command, *options);
  CLI::Option_group* output =
      command->add_option_group("Output", "What to print instead of a table, at most one");
  output->add_flag("--json", options->json, "Everything as JSON");
  output->add_flag("--files", options->files, "The test files that hold something to run");
  output->add_flag("--tests", options->tests, "The recorded tests to run");
  output->add_flag("--count", options->count, "The number of recorded tests to run");
  output->add_flag("--plan", options->plan, "Which shard runs what, as JSON; null without a shard");
  output->require_option(0, 1);
  command->add_flag("--exit-code", options->exit_code, "Exit with 5 if there is nothing to run");
  command->callback(
      [options, &program] { program.exit_code = affected_command(*options, program); });
}

} // namespace testmon_precreate::cli
