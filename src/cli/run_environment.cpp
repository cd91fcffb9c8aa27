#include "testmon_precreate/cli/run_environment.hpp"
#include <testmon_precreate/cli/plugin_path.hpp>
#include <testmon_precreate/core/json_text.hpp>

#include <nlohmann/json.hpp>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

void put_in_front(util::ProcessEnvironment& environment, const std::string& name,
                  const std::string& value) {
  const std::string old = environment.get(name).value_or("");
  environment.set(name, old.empty() ? value : value + ':' + old);
}

// Returns false if there is no plugin.
bool load_plugin(util::ProcessEnvironment& environment, const RunOptions& options,
                 const Program& program) {
  try {
    const fs::path executables = executable_directory();
    const fs::path plugin = plugin_directory(executables);
    put_in_front(environment, "PYTHONPATH", plugin.string());
    // Its sitecustomize.py has pytest load the plugin.
    put_in_front(environment, "PYTHONPATH", (plugin / "start").string());
    environment.set("TESTMON_XDIST_CONTROLLER_PRECREATION", "true");
    environment.set("TESTMON_XDIST_BIN_DIR", executables.string());
    return true;
  } catch (const std::exception& error) {
    if (options.is_strict()) {
      throw;
    }
    program.terminal.warning(error.what());
    return false;
  }
}

// What the plugin needs for its own call of `prepare` (class PrepareOptions in controller.py).
std::string options_for_plugin(const RunOptions& options) {
  const PrepareRequest& given = options.prepare.request;
  std::vector<std::string> words{"--keep-environments", std::to_string(given.keep_environments)};
  if (!given.allow_upgrade) {
    words.emplace_back("--no-upgrade");
  }
  if (given.rebuild) {
    words.emplace_back("--rebuild");
  }
  const std::string wait = options.prepare.wait_for_run.value_or("0");
  words.insert(words.end(), {"--wait-for-run", wait});
  return core::dump_json(
      nlohmann::ordered_json{{"words", words},
                             {"run_uid", core::to_json_string(given.run_uid.value_or(""))},
                             {"wait_for_run", core::parse_seconds(wait, "--wait-for-run").count()},
                             {"strict", options.is_strict()}});
}

} // namespace

util::ProcessEnvironment environment_of_command(const RunOptions& options,
                                                const fs::path& audit_file,
                                                const Program& program) {
  util::ProcessEnvironment environment = program.environment;
  if (load_plugin(environment, options, program)) {
    environment.set("TESTMON_XDIST_PREPARE_OPTIONS", options_for_plugin(options));
    if (options.shard) {
      environment.set("TESTMON_XDIST_SHARD", *options.shard);
    }
    if (options.fixed_workers) {
      environment.set("TESTMON_XDIST_WORKERS", "fixed");
    }
    if (options.prepare.verbose) {
      environment.set("TESTMON_XDIST_DEBUG", "true");
    }
    if (const auto& datafile = options.prepare.request.settings.datafile) {
      environment.set("TESTMON_DATAFILE", datafile->string());
    }
  }
  if (options.summary) {
    environment.set("TESTMON_XDIST_SUMMARY", fs::absolute(*options.summary).string());
  }
  if (!audit_file.empty()) {
    environment.set("TESTMON_XDIST_AUDIT", audit_file.string());
  }
  return environment;
}

} // namespace testmon_precreate::cli
