#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/metrics_output.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/coordination/liveness.hpp>
#include <testmon_precreate/coordination/waiter.hpp>
#include <testmon_precreate/core/json_text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>

namespace testmon_precreate::cli {

namespace {

using coordination::ControllerLife;
using nlohmann::ordered_json;

struct Options {
  CoordinationOptions run;
  std::optional<std::filesystem::path> metrics;
  bool json = false;
};

constexpr const char* description =
    "Shows the coordination state, its age, whether its controller lives and which workers have "
    "acknowledged it; or sums up a metrics file.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate status\n"
                               "  testmon-precreate status --json\n"
                               "  testmon-precreate status --metrics \"$TESTMON_XDIST_METRICS\"";

// What there is to show.
struct Status {
  std::filesystem::path state_path;
  std::optional<coordination::CoordinationState> state;
  ControllerLife controller = ControllerLife::not_visible;
  coordination::Judgement judgement;
  std::vector<coordination::Acknowledgment> acknowledgments;
  std::vector<std::string> missing;
};

Status find_status(const Options& options, const Program& program) {
  core::Settings settings = program.settings;
  options.run.apply_to(settings);
  const coordination::CoordinationDirectory directory(coordination::find_coordination_directory(
      std::filesystem::current_path(), options.run.rootdir, settings));
  Status status;
  status.state_path = directory.state_path();
  status.state = directory.read_state();
  if (status.state) {
    status.controller = controller_life(*status.state);
    status.judgement = judge(*status.state, settings.run_uid, settings.state_max_age);
    status.acknowledgments = acknowledgments_of_run(directory, status.state->run_uid);
    status.missing = missing_workers(status.acknowledgments, status.state->expected_workers);
  }
  return status;
}

const char* word_for(ControllerLife life) {
  switch (life) {
  case ControllerLife::alive:
    return "alive";
  case ControllerLife::gone:
    return "gone";
  case ControllerLife::not_visible:
    break;
  }
  return "unknown";
}

ordered_json describe(const coordination::Acknowledgment& acknowledgment) {
  return {{"worker_id", acknowledgment.worker_id},
          {"pid", acknowledgment.pid},
          {"hostname", core::to_json_string(acknowledgment.hostname)},
          {"timestamp", acknowledgment.timestamp},
          {"waited_seconds", acknowledgment.waited_seconds}};
}

void print_json(const Status& status, std::ostream& out) {
  ordered_json value{{"state_path", core::to_json_string(status.state_path.string())},
                     {"state", nullptr}};
  if (status.state) {
    value["state"] = coordination::to_json_value(*status.state);
    value["age"] = age_of(*status.state);
    value["controller"] = word_for(status.controller);
    value["usable"] = status.judgement.usable();
    value["explanation"] = core::to_json_string(status.judgement.explanation);
    value["acknowledgments"] = ordered_json::array();
    for (const auto& acknowledgment : status.acknowledgments) {
      value["acknowledgments"].push_back(describe(acknowledgment));
    }
    value["missing"] = status.missing;
  }
  out << core::dump_json(value);
}

std::string controller_text(const Status& status) {
  const coordination::CoordinationState& state = *status.state;
  if (state.liveness == coordination::Liveness::age) {
    return "none: the state is judged by its age";
  }
  if (status.controller == ControllerLife::not_visible) {
    return fmt::format("process {} on {}: cannot be seen from here, the state is judged by its age",
                       state.controller_pid, state.hostname);
  }
  return fmt::format("process {}, {}", state.controller_pid, word_for(status.controller));
}

std::string workers_text(const Status& status) {
  std::vector<std::string> present;
  for (const auto& acknowledgment : status.acknowledgments) {
    present.push_back(fmt::format("{} (waited {:.3f} s)", acknowledgment.worker_id,
                                  acknowledgment.waited_seconds));
  }
  std::string text =
      present.empty() ? "none has acknowledged" : fmt::format("{}", fmt::join(present, ", "));
  if (!status.missing.empty()) {
    text += fmt::format("; missing: {}", fmt::join(status.missing, ", "));
  }
  return text;
}

void print_text(const Status& status, std::ostream& out) {
  if (!status.state) {
    out << fmt::format("no state ({})\n", status.state_path.string());
    return;
  }
  const coordination::CoordinationState& state = *status.state;
  out << fmt::format("state        {}, {:.1f} s old\n"
                     "usable       {}\n"
                     "run          {}\n"
                     "controller   {}\n"
                     "environment  {} {} ({}): Python {}, testmon {}\n"
                     "data file    {} (data version {})\n"
                     "workers      {}\n",
                     status.state_path.string(), age_of(state),
                     status.judgement.usable() ? "yes" : "no: " + status.judgement.explanation,
                     state.run_uid.value_or("(without id)"), controller_text(status),
                     state.environment_id, state.environment_name, state.environment_action,
                     state.python_version, state.testmon_version, state.database_path,
                     state.data_version, workers_text(status));
}

void status_command(const Options& options, const Program& program) {
  if (options.metrics) {
    print_metrics(*options.metrics, options.json, program.terminal.out());
    return;
  }
  const Status status = find_status(options, program);
  if (options.json) {
    print_json(status, program.terminal.out());
  } else {
    print_text(status, program.terminal.out());
  }
}

} // namespace

void add_status_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("status", description)->footer(footer);
  add_coordination_options(
      *command, options->run,
      "Judge the state for this run (default: $PYTEST_XDIST_TESTRUNUID, else any)");
  add_text_option(*command, "--metrics", options->metrics, "FILE",
                  "Sum up this metrics file: runs, errors, times of preparation and of waiting");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &program] { status_command(*options, program); });
}

} // namespace testmon_precreate::cli
