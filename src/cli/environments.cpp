#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/common_options.hpp>
#include <testmon_precreate/cli/project_options.hpp>
#include <testmon_precreate/core/json_text.hpp>
#include <testmon_precreate/datafile/management.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/util/clock.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <ctime>
#include <memory>

namespace testmon_precreate::cli {

namespace {

namespace fs = std::filesystem;
using datafile::ListedEnvironment;
using nlohmann::ordered_json;

struct Options {
  RunRequest run; // --rootdir and --datafile
  bool json = false;
  std::vector<std::int64_t> ids;
  std::int64_t id = 0;
  std::optional<std::string> name;
  std::size_t keep = 4;
  bool force = false;
};

constexpr util::Seconds busy_timeout{60};

constexpr const char* description =
    "Lists and manages the environments of a data file. A parked one is hidden from testmon with "
    "all its test data; `prepare` brings it back when its packages come back.\n"
    "Without a subcommand it means `list`.";

constexpr const char* footer = "Examples:\n"
                               "  testmon-precreate environments\n"
                               "  testmon-precreate environments list --json\n"
                               "  testmon-precreate environments restore 3\n"
                               "  testmon-precreate environments prune --keep-environments 1";

struct Place {
  fs::path rootdir;
  core::Settings settings; // with the options applied

  [[nodiscard]] fs::path file() const { return rootdir / settings.datafile_path(); }
};

Place find_place(const Options& options, const Program& program) {
  RunRequest run = options.run;
  describe_run(run, program);
  return {.rootdir = find_project(run).rootdir, .settings = run.settings};
}

// The data file, if no run is at work on it whose rows must stay.
fs::path file_to_change(const Options& options, const Program& program) {
  const Place place = find_place(options, program);
  if (!options.force) {
    refuse_while_a_run_is_at_work(place.rootdir, place.settings);
  }
  return place.file();
}

std::string time_text(util::Seconds since_epoch) {
  if (since_epoch.count() <= 0) {
    return "at an unknown time";
  }
  const auto seconds = static_cast<std::time_t>(since_epoch.count());
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(seconds));
}

ordered_json to_json(const ListedEnvironment& listed) {
  const datafile::Environment& environment = listed.row.environment;
  ordered_json entry = {
      {"id", listed.row.id},
      {"environment_name", core::to_json_string(environment.name)},
      {"python_version", core::to_json_string(environment.python_version)},
      {"system_packages", core::to_json_string(environment.system_packages)},
      {"parked", listed.row.parked},
      {"parked_at", nullptr},
      {"tests", listed.tests},
  };
  if (listed.parked_at.count() > 0) {
    entry["parked_at"] = listed.parked_at.count();
  }
  return entry;
}

void list(const Options& options, const Program& program) {
  const fs::path file = find_place(options, program).file();
  const auto environments = datafile::list_environments(file, busy_timeout);
  if (options.json) {
    ordered_json value{{"database_path", core::to_json_string(file.string())},
                       {"environments", ordered_json::array()}};
    for (const ListedEnvironment& environment : environments) {
      value["environments"].push_back(to_json(environment));
    }
    program.terminal.out() << core::dump_json(value);
    return;
  }
  if (environments.empty()) {
    program.terminal.out() << fmt::format("no environments ({})\n", file.string());
  }
  for (const ListedEnvironment& environment : environments) {
    const datafile::EnvironmentRow& row = environment.row;
    program.terminal.out() << fmt::format(
        "{:>4}  {}: Python {}, {} packages, {} tests{}\n", row.id, row.environment.name,
        row.environment.python_version, python::package_count(row.environment.system_packages),
        environment.tests, row.parked ? ", parked " + time_text(environment.parked_at) : "");
  }
}

// Says how many environments something was done to.
void report(const char* what, std::size_t count, const Options& options, const Program& program) {
  if (options.json) {
    program.terminal.out() << core::dump_json({{what, count}});
  } else {
    program.terminal.out() << fmt::format("{} {}\n", what, util::counted(count, "environment"));
  }
}

void park(const Options& options, const Program& program) {
  report("parked",
         datafile::park_environments(file_to_change(options, program), options.ids, busy_timeout),
         options, program);
}

void restore(const Options& options, const Program& program) {
  const bool restored =
      datafile::restore_environment(file_to_change(options, program), options.id, busy_timeout);
  report("restored", restored ? 1 : 0, options, program);
}

void prune(const Options& options, const Program& program) {
  report("pruned",
         datafile::prune_environments(file_to_change(options, program), options.name, options.keep,
                                      busy_timeout),
         options, program);
}

void add_common_options(CLI::App& command, Options& options) {
  add_rootdir_option(command, options.run);
  add_datafile_option(command, options.run);
  command.add_flag("--json", options.json, "Print the result as JSON");
}

using Action = void (*)(const Options&, const Program&);

CLI::App& add_action(CLI::App& parent, const char* name, const char* text, Action action,
                     const std::shared_ptr<Options>& options, Program& program) {
  CLI::App* command = parent.add_subcommand(name, text);
  add_common_options(*command, *options);
  set_action(*command, program, [options, &program, action] { action(*options, program); });
  return *command;
}

// One that changes the file.
CLI::App& add_change(CLI::App& parent, const char* name, const char* text, Action action,
                     const std::shared_ptr<Options>& options, Program& program) {
  CLI::App& command = add_action(parent, name, text, action, options, program);
  command.add_flag("--force", options->force, "Also while a run is at work on the file");
  return command;
}

} // namespace

void add_environments_command(CLI::App& app, Program& program) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("environments", description)->footer(footer);
  add_common_options(*command, *options);
  add_action(*command, "list", "Every environment, the parked ones too; opens nothing for writing",
             list, options, program);
  add_change(*command, "park", "Hide environments from testmon", park, options, program)
      .add_option("ID", options->ids, "As `list` shows it")
      ->required();
  add_change(*command, "restore",
             "Bring a parked environment back; the one in use is parked instead", restore, options,
             program)
      .add_option("ID", options->id, "As `list` shows it")
      ->required();
  CLI::App& pruning =
      add_change(*command, "prune", "Delete the least recently used parked environments", prune,
                 options, program);
  add_keep_option(pruning, options->keep, "How many to keep per name");
  add_text_option(pruning, "--testmon-env", options->name, "NAME", "Only those of this name")
      ->check([](const std::string& name) {
        return name.empty() ? std::string("a name is needed") : std::string();
      });
  command->require_subcommand(0, 1);
  command->callback([command, options, &program] {
    if (command->get_subcommands().empty() && !switched_off(program)) {
      list(*options, program);
    }
  });
}

} // namespace testmon_precreate::cli
