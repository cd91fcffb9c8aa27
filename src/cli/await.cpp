#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/util/exec_arguments.hpp>
#include <testmon_precreate/util/exit_codes.hpp>
#include <testmon_precreate/util/text.hpp>
#include <testmon_precreate/worker.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <memory>
#include <system_error>

#include <unistd.h>

namespace testmon_precreate::cli {

namespace {

using nlohmann::ordered_json;

struct Options {
  CoordinationOptions run;
  std::optional<std::string> worker;
  WaitOptions wait;
  std::optional<std::string> field;
  bool no_acknowledgment = false;
  bool json = false;
  bool shell = false;
};

AwaitRequest make_request(const Options& options, const Program& program) {
  AwaitRequest request;
  core::Settings& settings = request.settings;
  settings = program.settings;
  options.wait.apply_to(settings);
  options.run.apply_to(settings);
  request.working_directory = std::filesystem::current_path();
  request.rootdir = options.run.rootdir;
  if (options.worker) {
    settings.worker_id = options.worker;
  }
  request.acknowledge = !options.no_acknowledgment;
  if (::isatty(STDERR_FILENO) == 1) {
    request.after_a_second = [&program, timeout = settings.worker_timeout] {
      program.terminal.note(
          fmt::format("waiting for the controller's state, up to {:g} s ...", timeout.count()));
    };
  }
  return request;
}

[[noreturn]] void throw_unknown_field(const std::string& field, const ordered_json& state) {
  std::string known;
  for (const auto& [name, value] : state.items()) {
    known.append(known.empty() ? "" : ", ").append(name);
  }
  throw core::UsageError({.what = fmt::format("a state has no field '{}'", field),
                          .where = "--get",
                          .hint = "Fields are " + known});
}

// The variables that --shell prints and a command gets, with their values as bytes.
// TESTMON_XDIST_STATE is the state's path.
std::vector<std::pair<std::string, std::string>>
state_variables(const coordination::CoordinationState& state,
                const std::filesystem::path& state_path) {
  return {{"TESTMON_XDIST_ENVIRONMENT_ID", std::to_string(state.environment_id)},
          {"TESTMON_XDIST_ENVIRONMENT_NAME", state.environment_name},
          {"TESTMON_XDIST_DATABASE_PATH", state.database_path},
          {"TESTMON_XDIST_DATA_VERSION", std::to_string(state.data_version)},
          {"TESTMON_XDIST_PYTHON_VERSION", state.python_version},
          {"TESTMON_XDIST_ROOTDIR", state.rootdir},
          {"TESTMON_XDIST_RUN_UID", state.run_uid.value_or("")},
          {"TESTMON_XDIST_STATE", state_path.string()}};
}

// `export NAME='VALUE'` lines for a POSIX shell's eval.
std::string shell_exports(const coordination::CoordinationState& state,
                          const std::filesystem::path& state_path) {
  std::string lines;
  for (const auto& [name, value] : state_variables(state, state_path)) {
    lines += fmt::format("export {}={}\n", name, util::shell_quote(value));
  }
  return lines;
}

// The value of one field of the state's JSON as bytes; a dot leads into an object. Null is empty,
// an object is JSON. Throws UsageError for a field that a state does not have.
std::string state_field(const coordination::CoordinationState& state, const std::string& field) {
  const ordered_json whole = coordination::to_json_value(state);
  const ordered_json* value = &whole;
  for (const std::string_view part : util::split(field, '.')) {
    const auto found = value->is_object() ? value->find(std::string(part)) : value->end();
    if (!value->is_object() || found == value->end()) {
      throw_unknown_field(field, whole);
    }
    value = &*found;
  }
  if (value->is_string()) {
    return core::from_json_string(value->get_ref<const std::string&>());
  }
  return value->is_null() ? "" : value->dump();
}

// Replaces this process. Returns what a shell returns for a command that cannot be executed.
int execute(const std::vector<std::string>& command, const util::ProcessEnvironment& environment,
            const Terminal& terminal) {
  const int error = util::ExecArguments(command, environment).execute();
  terminal.error(fmt::format("could not execute: {} ({})", std::generic_category().message(error),
                             command.front()));
  return util::exit_code_of_exec_error(error);
}

void print(const AwaitResult& result, const Options& options, const Terminal& terminal) {
  const coordination::CoordinationState& state = result.wait.state;
  if (options.json) {
    terminal.out() << coordination::to_json(state);
  } else if (options.shell) {
    terminal.out() << shell_exports(state, result.state_path);
  } else if (options.field) {
    terminal.out() << state_field(state, *options.field) << '\n';
  }
}

int await_command(const Options& options, Program& program) {
  if (program.after_dashes && program.after_dashes->empty()) {
    throw core::UsageError({.what = "no command after --", .where = "command line", .hint = ""});
  }
  if (options.field) {
    static_cast<void>(
        state_field({}, *options.field)); // an unknown one is better told before the wait
  }
  util::ProcessEnvironment environment = program.environment;
  if (!switched_off(program)) {
    const AwaitResult result = await_state(make_request(options, program), program.log);
    program.waits = result.wait.looks;
    program.settings.run_uid = result.wait.state.run_uid;
    program.stopwatch.lap("wait");
    print(result, options, program.terminal);
    for (const auto& [name, value] : state_variables(result.wait.state, result.state_path)) {
      environment.set(name, value);
    }
  }
  if (!program.after_dashes) {
    return 0;
  }
  check_output(program);
  append_metrics(program, 0, nullptr);
  return execute(*program.after_dashes, environment, program.terminal);
}

} // namespace

void add_await_options(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  add_coordination_options(
      app, options->run,
      "Wait for this run's state (default: $PYTEST_XDIST_TESTRUNUID; none: any run's)");
  add_text_option(
      app, "--worker", options->worker, "ID",
      "Acknowledge as this worker (default: $PYTEST_XDIST_WORKER; none: no acknowledgment)")
      ->check([](const std::string& id) {
        core::check_worker_id(id); // an empty one too, which would else count as not given
        return std::string();
      });
  add_wait_options(app, options->wait);
  app.add_flag("--no-ack", options->no_acknowledgment, "Write no acknowledgment");
  CLI::Option_group* output =
      app.add_option_group("Output", "What to print on standard output, at most one");
  output->add_flag("--json", options->json, "The state as JSON");
  output->add_flag("--shell", options->shell,
                   "Lines `export TESTMON_XDIST_...='...'` for a shell's eval");
  add_text_option(*output, "--get", options->field, "FIELD",
                  "One field of the state, such as environment_id");
  output->require_option(0, 1);
  app.callback([options, &program] { program.exit_code = await_command(*options, program); });
}

} // namespace testmon_precreate::cli
