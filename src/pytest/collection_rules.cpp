#include "collection_rules.hpp"

#include "paths.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <sys/stat.h>

namespace testmon_precreate::pytest {

namespace {

bool is_file_at(const util::FileDescriptor& directory, const char* name) {
  struct stat status {};

  return ::fstatat(directory.get(), name, &status, 0) == 0 && S_ISREG(status.st_mode);
}

// Whether pytest before 8.3 takes the directory for a virtual environment.
bool has_activation_script(const util::FileDescriptor& directory) {
  constexpr std::array<const char*, 6> scripts{"bin/activate",      "bin/activate.csh",
                                               "bin/activate.fish", "bin/Activate",
                                               "bin/Activate.bat",  "bin/Activate.ps1"};
  return std::any_of(scripts.begin(), scripts.end(), [&](const char* script) {
    struct stat status {};
    return ::fstatat(directory.get(), script, &status, AT_SYMLINK_NOFOLLOW) == 0;
  });
}

} // namespace

CollectionRules::CollectionRules(const Project& project,
                                 const std::vector<std::string>& file_patterns)
    : version_(project.version)
    , enter_virtualenvs_(project.command_line.has_flag("--collect-in-virtualenv"))
    , all_python_files_(project.command_line.has_flag("--doctest-modules"))
    , file_patterns_(file_patterns)
    , no_recurse_(project.ini_args("norecursedirs", {"*.egg", ".*", "_darcs", "build", "CVS",
                                                     "dist", "node_modules", "venv", "{arch}"})) {
  for (const std::string& path : project.command_line.ignore) {
    ignored_paths_.insert(absolute_path(project.invocation_directory, path).string());
  }
  for (const std::string& glob : project.command_line.ignore_globs) {
    ignored_globs_.emplace_back(absolute_path(project.invocation_directory, glob).string());
  }
}

void CollectionRules::add_starting_file(const std::string& path) {
  if (collects_argument(path)) {
    starting_files_.insert(path);
  }
  add_with_parents(std::filesystem::path(path).parent_path().string());
}

void CollectionRules::add_starting_directory(const std::string& path) { add_with_parents(path); }

void CollectionRules::add_with_parents(const std::string& path) {
  for (std::filesystem::path parent = path; parent.has_relative_path();
       parent = parent.parent_path()) {
    ways_to_starting_points_.insert(parent.string());
  }
}

bool CollectionRules::leads_to_starting_point(const std::string& path) const {
  // Before pytest 8 the rules held for every directory but the one that a walk starts from.
  return version_.major_number >= 8 && ways_to_starting_points_.contains(path);
}

bool CollectionRules::is_ignored(const std::string& path) const {
  return ignored_paths_.contains(path) ||
         std::any_of(ignored_globs_.begin(), ignored_globs_.end(),
                     [&](const Pattern& glob) { return glob.matches(path); });
}

bool CollectionRules::leaves_out_directory(const std::string& directory,
                                           std::string_view name) const {
  const bool by_name = name == "__pycache__" || no_recurse_.match(directory, name);
  if (!by_name && ignored_paths_.empty() && ignored_globs_.empty()) {
    return false;
  }
  const std::string path = join(directory, name);
  return (by_name || is_ignored(path)) && !leads_to_starting_point(path);
}

bool CollectionRules::leaves_out_content(const std::string& path,
                                         const util::FileDescriptor& directory,
                                         const std::vector<util::DirectoryEntry>& entries) const {
  if (enter_virtualenvs_ || leads_to_starting_point(path)) {
    return false;
  }
  constexpr PytestVersion by_configuration_since{8, 3, 0};
  constexpr PytestVersion conda_since{8, 3, 3};
  return std::any_of(entries.begin(), entries.end(), [&](const util::DirectoryEntry& entry) {
    if (version_ < by_configuration_since) {
      return entry.name == "bin" && entry.type != util::EntryType::file &&
             has_activation_script(directory);
    }
    if (entry.name == "pyvenv.cfg") {
      return entry.type == util::EntryType::file || is_file_at(directory, "pyvenv.cfg");
    }
    return version_ >= conda_since && entry.name == "conda-meta" &&
           is_file_at(directory, "conda-meta/history");
  });
}

bool CollectionRules::collects(const std::string& directory, std::string_view name) const {
  constexpr std::string_view suffix = ".py";
  if (name.size() <= suffix.size() || !name.ends_with(suffix)) {
    return false;
  }
  const bool by_name = file_patterns_.match(directory, name) ||
                       (all_python_files_ && name != "setup.py" && name != "__main__.py");
  if (starting_files_.empty() && (!by_name || (ignored_paths_.empty() && ignored_globs_.empty()))) {
    return by_name;
  }
  const std::string path = join(directory, name);
  return starting_files_.contains(path) || (by_name && !is_ignored(path));
}

bool CollectionRules::collects_argument(const std::string& path) const {
  const std::filesystem::path file = path;
  if (version_.major_number < 8 && file.filename() == "__init__.py") {
    // Then it stands for its package, and is a test file only if its name matches.
    return file_patterns_.match(file.parent_path().string(), "__init__.py");
  }
  return path.ends_with(".py");
}

} // namespace testmon_precreate::pytest
