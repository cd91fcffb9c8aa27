#include <testmon_precreate/cli/commands.hpp>
#include <testmon_precreate/cli/plugin_directory.hpp>

#include <CLI/CLI.hpp>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* description =
    "Prints the directory that holds the pytest plugin, for PYTHONPATH.";

constexpr const char* footer =
    "Example:\n"
    "  export TESTMON_XDIST_CONTROLLER_PRECREATION=true\n"
    "  export PYTHONPATH=$(testmon-precreate plugin-path) PYTEST_PLUGINS=testmon_precreate.plugin";

} // namespace

fs::path executable_directory() { return fs::read_symlink("/proc/self/exe").parent_path(); }

fs::path plugin_directory(const fs::path& executables) {
  std::vector<fs::path> candidates{executables.parent_path() / "share" / "testmon-precreate" /
                                       "pytest-plugin",
                                   TESTMON_PRECREATE_INSTALLED_PLUGIN_DIRECTORY};
  // A build directory lies at any depth below its sources.
  for (fs::path above = executables; above != above.parent_path(); above = above.parent_path()) {
    candidates.push_back(above / "scripts" / "pytest-plugin");
  }
  for (const fs::path& candidate : candidates) {
    if (fs::is_regular_file(candidate / "testmon_precreate" / "plugin.py")) {
      return candidate;
    }
  }
  throw core::CoordinationFileError(
      {.what = "the pytest plugin was not found",
       .where = candidates[0].string() + ", " + candidates[1].string(),
       .hint = "Install testmon-precreate completely, with its plugin"});
}

void add_plugin_path_command(CLI::App& app, Program& program) {
  CLI::App* command = app.add_subcommand("plugin-path", description);
  command->footer(footer);
  command->callback([&program] {
    program.terminal.out() << plugin_directory(executable_directory()).string() << '\n';
  });
}

} // namespace testmon_precreate::cli
