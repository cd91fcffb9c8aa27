#include "testmon_precreate/pytest/test_files.hpp"

#include "collection_rules.hpp"
#include "directory_walk.hpp"
#include "paths.hpp"

#include <testmon_precreate/pytest/sys_path.hpp>

#include <algorithm>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

// A path argument, as pytest's resolve_collection_argument understands it.
struct Argument {
  std::string path;
  bool is_directory = false;
  bool has_names = false; // of classes or functions after `::`
};

std::vector<Argument> resolve(const Project& project, std::vector<std::string>& warnings) {
  std::vector<Argument> arguments;
  for (const std::string& text : starting_points(project, project.command_line.paths)) {
    const std::string base = text.substr(0, text.find('['));
    fs::path path = absolute_path(project.invocation_directory, path_of_node_id(text));
    if (!path_exists(path)) { // the bracket begins a parametrization
      path = absolute_path(project.invocation_directory, path_of_node_id(base));
    }
    if (!path_exists(path)) {
      warnings.push_back("there is no file or directory " + text);
      continue;
    }
    arguments.push_back(
        {path.string(), path_is_directory(path), base.find("::") != std::string::npos});
  }
  return arguments;
}

bool holds(const Argument& outer, const Argument& inner) {
  return !outer.has_names && outer.path != inner.path && is_within(inner.path, outer.path);
}

// Whether pytest 8 collects the directory `outer` on its way to another argument inside; it takes
// it for a duplicate afterwards. A file argument without names between the two makes it look at its
// parent's directories again. The way starts at `boundary`, pytest's confcutdir.
bool is_seen_on_the_way(const std::vector<Argument>& arguments, std::size_t outer,
                        const std::string& boundary) {
  const std::string& path = arguments[outer].path;
  if (path != boundary && is_within(boundary, path)) {
    return false; // the way to an argument starts below
  }
  for (std::size_t inner = 0; inner < arguments.size(); ++inner) {
    if (!holds(arguments[outer], arguments[inner])) {
      continue;
    }
    const auto [first, last] = std::minmax(inner, outer);
    const bool looks_again = std::any_of(
        arguments.begin() + static_cast<std::ptrdiff_t>(first) + 1,
        arguments.begin() + static_cast<std::ptrdiff_t>(last), [&](const Argument& file) {
          const std::string parent = fs::path(file.path).parent_path().string();
          return !file.is_directory && !file.has_names && parent != path && is_within(path, parent);
        });
    if (!looks_again) {
      return true;
    }
  }
  return false;
}

// What becomes of arguments of which one holds the other. From pytest 9 on the inner one is
// dropped, even if the rules do not let the outer one reach it. pytest 8 drops the outer one.
void drop_overlapping(std::vector<Argument>& arguments, const Project& project) {
  const std::string boundary = conftest_boundary(project).string();
  const int version = project.version.major_number;
  std::vector<Argument> kept;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool dropped =
        version >= 9
            ? std::any_of(arguments.begin(), arguments.end(),
                          [&](const Argument& outer) { return holds(outer, arguments[i]); })
            : version == 8 && is_seen_on_the_way(arguments, i, boundary);
    if (!dropped) {
      kept.push_back(arguments[i]);
    }
  }
  arguments = std::move(kept);
}

void scan(const Project& project, const std::vector<Argument>& arguments,
          const std::vector<std::string>& patterns, TestFiles& result) {
  CollectionRules rules(project, patterns);
  for (const Argument& argument : arguments) {
    if (argument.is_directory) {
      rules.add_starting_directory(argument.path);
    } else {
      rules.add_starting_file(argument.path);
    }
  }
  std::vector<std::string> directories;
  for (const Argument& argument : arguments) {
    if (argument.is_directory) {
      directories.push_back(argument.path);
    } else if (path_is_file(argument.path) && rules.collects_argument(argument.path)) {
      result.paths.push_back(argument.path);
    }
  }
  walk_directories(rules, directories, result);
}

// A fixed list, for projects without any configuration of pytest.
void scan_by_fixed_list(const Project& project, TestFiles& result) {
  std::vector<Argument> directories;
  for (const char* name : {"tests", "test", "testing"}) {
    const fs::path path = project.rootdir / name;
    if (path_is_directory(path)) {
      directories.push_back({path.string(), true, false});
    }
  }
  scan(project, directories, {"test_*.py", "*_test.py", "tests.py"}, result);
}

void make_relative(std::vector<std::string>& paths, const fs::path& rootdir) {
  const std::string root = rootdir.string();
  for (std::string& path : paths) {
    if (root != "/" && is_within(path, root)) {
      path.erase(0, root.size() + 1);
    } else {
      path = fs::path(path).lexically_relative(rootdir).string();
    }
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
}

} // namespace

TestFiles scan_test_files(const Project& project) {
  TestFiles result;
  std::vector<Argument> arguments = resolve(project, result.warnings);
  const CommandLine& line = project.command_line;
  if (!line.has_flag("--keep-duplicates") && !line.has_flag("--keepduplicates")) {
    drop_overlapping(arguments, project);
  }
  scan(project, arguments, project.ini_args("python_files", {"test_*.py", "*_test.py"}), result);
  if (result.paths.empty() && !project.is_configured && line.paths.empty()) {
    scan_by_fixed_list(project, result);
  }
  make_relative(result.paths, project.rootdir);
  std::sort(result.warnings.begin(), result.warnings.end());
  return result;
}

} // namespace testmon_precreate::pytest
