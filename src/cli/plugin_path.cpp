#include "testmon_precreate/cli/plugin_path.hpp"
#include <testmon_precreate/cli/commands.hpp>

#include <CLI/CLI.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace testmon_precreate::cli {

namespace fs = std::filesystem;

namespace {

constexpr const char* description =
    "Prints the directory that holds the pytest plugin, for PYTHONPATH.";

constexpr const char* footer =
    "Example:\n"
    "  export TESTMON_XDIST_CONTROLLER_PRECREATION=true\n"
    "  export PYTHONPATH=$(testmon-precreate plugin-path) PYTEST_PLUGINS=testmon_precreate.plugin";

// Whether `directory` holds the plugin, and its owner is root, this user or the owner of these
// commands: a build looks in all of its parents, and one of them may be writable for everyone.
bool has_plugin(const fs::path& directory, const fs::path& executables) {
  struct stat plugin {};

  struct stat ours {};

  return ::stat((directory / "testmon_precreate" / "plugin.py").c_str(), &plugin) == 0 &&
         ::stat(executables.c_str(), &ours) == 0 && S_ISREG(plugin.st_mode) &&
         (plugin.st_uid == 0 || plugin.st_uid == ::geteuid() || plugin.st_uid == ours.st_uid);
}

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
    if (has_plugin(candidate, executables)) {
      return candidate;
    }
  }
  throw core::CoordinationFileError(
      {.what = "the pytest plugin was not found",
       .where = candidates[0].string() + ", " + candidates[1].string(),
       .hint = "Install testmon-precreate completely, with its plugin"});
}

void add_plugin_path_command(CLI::App& app, Program& program) {
  CLI::App* command = app.add_subcommand("plugin-path", description)->footer(footer);
  command->callback([&program] {
    program.terminal.out() << plugin_directory(executable_directory()).string() << '\n';
  });
}

} // namespace testmon_precreate::cli
