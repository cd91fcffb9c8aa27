#pragma once

#include <testmon_precreate/pytest/pattern.hpp>
#include <testmon_precreate/pytest/project.hpp>
#include <testmon_precreate/util/directory.hpp>
#include <testmon_precreate/util/file_descriptor.hpp>

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace testmon_precreate::pytest {

// Which directories pytest enters and which files it collects: pytest_ignore_collect in
// _pytest/main.py and pytest_collect_file in _pytest/python.py of the project's version.
class CollectionRules {
public:
  // Files match `file_patterns`; all else is the project's.
  CollectionRules(const Project& project, const std::vector<std::string>& file_patterns);

  // Remembers a path from which the run starts: none of the rules below leaves it out.
  void add_starting_file(const std::string& path);
  void add_starting_directory(const std::string& path);

  // Whether `directory`/`name` is left out by its name. `directory` is absolute.
  [[nodiscard]] bool leaves_out_directory(const std::string& directory,
                                          std::string_view name) const;

  // Whether the directory `path` is left out for what is in it, a virtual environment.
  [[nodiscard]] bool leaves_out_content(const std::string& path,
                                        const util::FileDescriptor& directory,
                                        const std::vector<util::DirectoryEntry>& entries) const;

  // Whether the file `directory`/`name` is a test file.
  [[nodiscard]] bool collects(const std::string& directory, std::string_view name) const;

  // Whether a file that is given as an argument is a test file.
  [[nodiscard]] bool collects_argument(const std::string& path) const;

private:
  [[nodiscard]] bool is_ignored(const std::string& path) const;
  [[nodiscard]] bool leads_to_starting_point(const std::string& path) const;
  void add_with_parents(const std::string& path);

  PytestVersion version_;
  bool enter_virtualenvs_;
  bool all_python_files_;
  PathPatterns file_patterns_;
  PathPatterns no_recurse_;
  std::unordered_set<std::string> ignored_paths_;
  std::vector<Pattern> ignored_globs_;
  std::unordered_set<std::string> starting_files_;
  std::unordered_set<std::string> ways_to_starting_points_; // those directories and their parents
};

} // namespace testmon_precreate::pytest
