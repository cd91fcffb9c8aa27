#include "testmon_precreate/pytest/sys_path.hpp"

#include "paths.hpp"

#include <algorithm>
#include <set>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

bool is_identifier(const std::string& name) {
  const auto is_start = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  const auto is_part = [&](char c) { return is_start(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_start(name.front()) && std::all_of(name.begin(), name.end(), is_part);
}

// The directory above the outermost package that holds `directory`; `directory` itself if it is
// no package. As resolve_package_path in _pytest/pathlib.py.
fs::path package_root(fs::path directory) {
  while (path_is_file(directory / "__init__.py") && is_identifier(directory.filename().string())) {
    directory = directory.parent_path();
  }
  return directory;
}

// Imports nothing, but changes sys.path as the import of the initial conftest files would.
class ConftestImports {
public:
  ConftestImports(const Project& project, std::vector<std::string>& sys_path)
      : project_(project)
      , sys_path_(sys_path)
      , confcutdir_(conftest_boundary(project))
      , mode_(project.command_line.import_mode.value_or("prepend")) {}

  // The conftest files of `directory` and of its parents, outermost first.
  void load_for(const fs::path& directory) {
    if (!directories_seen_.insert(directory.string()).second) {
      return;
    }
    std::vector<fs::path> chain{directory};
    while (chain.back().has_relative_path()) {
      chain.push_back(chain.back().parent_path());
    }
    std::for_each(chain.rbegin(), chain.rend(), [&](const fs::path& parent) {
      if (in_confcutdir(parent) && path_is_file(parent / "conftest.py")) {
        import_from(parent);
      }
    });
  }

private:
  [[nodiscard]] bool in_confcutdir(const fs::path& directory) const {
    return directory == confcutdir_ || !is_within(confcutdir_.string(), directory.string());
  }

  void import_from(const fs::path& directory) {
    if (mode_ == "importlib" || !imported_.insert(directory.string()).second) {
      return;
    }
    fs::path root = package_root(directory);
    if (project_.ini_bool("consider_namespace_packages")) {
      root = namespace_root(root);
    }
    const std::string entry = root.string();
    if (mode_ == "append") {
      if (std::find(sys_path_.begin(), sys_path_.end(), entry) == sys_path_.end()) {
        sys_path_.push_back(entry);
      }
    } else if (sys_path_.empty() || sys_path_.front() != entry) {
      sys_path_.insert(sys_path_.begin(), entry);
    }
  }

  // The nearest parent that is importable from, else `root`.
  [[nodiscard]] fs::path namespace_root(const fs::path& root) const {
    for (fs::path candidate = root; candidate.has_relative_path();
         candidate = candidate.parent_path()) {
      if (std::find(sys_path_.begin(), sys_path_.end(), candidate.string()) != sys_path_.end()) {
        return candidate;
      }
    }
    return root;
  }

  const Project& project_;
  std::vector<std::string>& sys_path_;
  fs::path confcutdir_;
  std::string mode_;
  std::set<std::string> directories_seen_;
  std::set<std::string> imported_;
};

// The directories test*/ in the order in which the system lists them, as pathlib's glob does.
std::vector<fs::path> test_directories_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->path().filename().string().starts_with("test") && entry->is_directory(ignored)) {
      found.push_back(entry->path());
    }
  }
  return found;
}

// As PytestPluginManager._set_initial_conftests. Before pytest 9 argparse's one positional list
// holds only the first run of paths while plugins are not loaded.
std::vector<fs::path> conftest_anchors(const Project& project) {
  constexpr PytestVersion all_paths_since{9, 0, 0};
  constexpr PytestVersion one_rule_since{7, 4, 0};
  std::span<const std::string> given = project.command_line.paths;
  if (project.version < all_paths_since) {
    given = given.first(project.command_line.leading_paths);
  }
  std::vector<std::string> points;
  if (project.version >= one_rule_since) {
    points = starting_points(project, given);
  } else {
    points.assign(given.begin(), given.end());
    const std::vector<std::string> testpaths = project.ini_args("testpaths");
    points.insert(points.end(), testpaths.begin(), testpaths.end());
  }
  std::vector<fs::path> anchors;
  for (const std::string& point : points) {
    const fs::path anchor = absolute_path(project.invocation_directory, path_of_node_id(point));
    if (path_exists(anchor)) {
      anchors.push_back(anchor);
    }
  }
  if (anchors.empty()) {
    anchors.push_back(project.invocation_directory);
  }
  return anchors;
}

void insert_python_path(const Project& project, std::vector<std::string>& sys_path) {
  const fs::path base =
      project.config_file ? project.config_file->parent_path() : project.invocation_directory;
  std::vector<std::string> entries;
  for (const std::string& entry : project.ini_args("pythonpath")) {
    entries.push_back(join_as_pathlib(base, entry));
  }
  sys_path.insert(sys_path.begin(), entries.begin(), entries.end());
}

} // namespace

fs::path conftest_boundary(const Project& project) {
  if (project.command_line.confcutdir) {
    return absolute_path(project.invocation_directory, *project.command_line.confcutdir);
  }
  return project.config_file ? project.config_file->parent_path() : project.rootdir;
}

std::vector<std::string> extend_sys_path(const Project& project,
                                         std::vector<std::string> sys_path) {
  insert_python_path(project, sys_path);
  if (project.command_line.has_flag("--noconftest")) {
    return sys_path;
  }
  ConftestImports imports(project, sys_path);
  for (const fs::path& anchor : conftest_anchors(project)) {
    const bool directory = path_is_directory(anchor);
    imports.load_for(directory ? anchor : anchor.parent_path());
    if (directory) {
      for (const fs::path& child : test_directories_in(anchor)) {
        imports.load_for(child);
      }
    }
  }
  return sys_path;
}

std::vector<fs::path> sys_path_additions(const Project& project) {
  std::vector<std::string> start;
  if (project.command_line.run_as_module) {
    start.push_back(project.invocation_directory.string());
  }
  const std::vector<std::string> extended = extend_sys_path(project, start);
  return {extended.begin(), extended.end()};
}

} // namespace testmon_precreate::pytest
