#include "testmon_precreate/pytest/project.hpp"

#include "paths.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/glob.hpp>
#include <testmon_precreate/pytest/shell_words.hpp>
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace testmon_precreate::pytest {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& where) {
  throw core::UsageError({.what = what, .where = where, .hint = {}});
}

// --- Arguments ---

// From pytest 8.2 on a word `@FILE` stands for the lines of FILE.
std::vector<std::string> expand_argument_files(const std::vector<std::string>& words,
                                               const fs::path& directory,
                                               const PytestVersion& version, int depth = 0) {
  constexpr PytestVersion since{8, 2, 0};
  constexpr int deepest = 16;
  constexpr std::size_t limit = std::size_t{16} * 1024 * 1024;
  std::vector<std::string> expanded;
  for (const std::string& word : words) {
    if (version < since || !word.starts_with('@')) {
      expanded.push_back(word);
      continue;
    }
    const fs::path file = directory / word.substr(1);
    if (depth == deepest) {
      fail("argument files that include each other", file.string());
    }
    std::string content;
    try {
      content = util::read_file(file, limit);
    } catch (const fs::filesystem_error& error) {
      fail("could not read the argument file: " + error.code().message(), file.string());
    }
    std::vector<std::string> lines;
    for (const std::string_view line : util::split(content, '\n')) {
      lines.emplace_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
    if (lines.back().empty()) {
      lines.pop_back();
    }
    const std::vector<std::string> inner =
        expand_argument_files(lines, directory, version, depth + 1);
    expanded.insert(expanded.end(), inner.begin(), inner.end());
  }
  return expanded;
}

// os.path.expandvars: `$NAME` and `${NAME}`; what is not set stays as it is.
std::string expand_variables(const std::string& text, const util::ProcessEnvironment& environment) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::string expanded;
  for (std::size_t i = 0; i < text.size();) {
    const bool braced = text.compare(i, 2, "${") == 0;
    const std::size_t begin = i + (braced ? 2 : 1);
    std::size_t end = begin;
    if (text[i] == '$') {
      end = braced ? text.find('}', begin)
                   : static_cast<std::size_t>(
                         std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                          text.end(), is_word) -
                         text.begin());
    }
    const bool names = text[i] == '$' && end != std::string::npos && end > begin;
    const auto value =
        names ? environment.get(text.substr(begin, end - begin)) : std::optional<std::string>();
    if (value) {
      expanded += *value;
      i = end + (braced ? 1 : 0);
    } else {
      expanded += text[i++];
    }
  }
  return expanded;
}

// --- rootdir and configuration, after _pytest/config/findpaths.py ---

struct Located {
  std::optional<fs::path> rootdir;
  std::optional<fs::path> config_file;
  std::optional<IniValues> values;
};

std::vector<fs::path> with_parents(fs::path path) {
  std::vector<fs::path> chain{path};
  while (path.has_relative_path()) {
    path = path.parent_path();
    chain.push_back(path);
  }
  return chain;
}

std::vector<fs::path> directories_of(std::span<const std::string> arguments, const fs::path& base) {
  std::vector<fs::path> directories;
  for (const std::string& argument : arguments) {
    const fs::path path = absolute_path(base, path_of_node_id(argument));
    if (!argument.starts_with('-') && path_exists(path)) {
      directories.push_back(path_is_directory(path) ? path : path.parent_path());
    }
  }
  return directories;
}

fs::path common_path(const fs::path& one, const fs::path& other) {
  fs::path common;
  auto left = one.begin();
  for (auto right = other.begin(); left != one.end() && right != other.end() && *left == *right;
       ++left, ++right) {
    common /= *left;
  }
  return common;
}

fs::path common_ancestor(const fs::path& fallback, const std::vector<fs::path>& directories) {
  std::optional<fs::path> common;
  for (const fs::path& directory : directories) {
    common = common ? common_path(*common, directory) : directory;
  }
  return common.value_or(fallback);
}

// From pytest 9 on, the other files of the directory are parsed too, so that their errors show.
void check_ignored_files(const fs::path& base, const std::vector<std::string>& names,
                         std::size_t first, const PytestVersion& version) {
  constexpr PytestVersion since{9, 0, 0};
  if (version < since) {
    return;
  }
  for (std::size_t i = first; i < names.size(); ++i) {
    if (path_is_file(base / names[i])) {
      static_cast<void>(load_configuration(base / names[i], version));
    }
  }
}

Located locate_configuration(const std::vector<fs::path>& starts, const PytestVersion& version) {
  const std::vector<std::string>& names = configuration_names(version);
  std::optional<fs::path> pyproject;
  for (const fs::path& start : starts) {
    for (const fs::path& base : with_parents(start)) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        const fs::path file = base / names[i];
        if (!path_is_file(file)) {
          continue;
        }
        if (!pyproject && names[i] == "pyproject.toml") {
          pyproject = file;
        }
        if (auto values = load_configuration(file, version)) {
          check_ignored_files(base, names, i + 1, version);
          return {base, file, std::move(values)};
        }
      }
    }
  }
  constexpr PytestVersion pyproject_counts_since{8, 1, 0};
  if (pyproject && version >= pyproject_counts_since) {
    return {pyproject->parent_path(), pyproject, std::nullopt};
  }
  return {};
}

Located locate_by_given_file(const fs::path& file, const fs::path& invocation_directory,
                             const std::vector<fs::path>& directories,
                             const PytestVersion& version) {
  const std::string option = "-c/--config-file";
  if (!path_exists(file) || path_is_directory(file)) {
    fail("there is no configuration file " + file.string(), option);
  }
  Located located{file.parent_path(), file, load_configuration(file, version)};
  constexpr PytestVersion other_files_since{9, 2, 0};
  if (version < other_files_since) {
    return located;
  }
  const fs::path suffix = file.extension();
  if (!path_is_file(file)) {
    // Such as /dev/null: asks for no configuration and says nothing about the rootdir.
    located.rootdir = common_ancestor(invocation_directory, directories);
    if (*located.rootdir == "/") {
      located.rootdir = invocation_directory;
    }
  } else if (suffix != ".ini" && suffix != ".cfg" && suffix != ".toml") {
    fail("the configuration file " + file.string() + " is neither .ini nor .cfg nor .toml", option);
  }
  return located;
}

Located locate(const CommandLine& line, const fs::path& invocation_directory,
               const PytestVersion& version) {
  const std::vector<fs::path> directories = directories_of(line.paths, invocation_directory);
  if (line.config_file) {
    return locate_by_given_file(absolute_path(invocation_directory, *line.config_file),
                                invocation_directory, directories, version);
  }
  const fs::path ancestor = common_ancestor(invocation_directory, directories);
  Located located = locate_configuration({ancestor}, version);
  if (located.rootdir || line.rootdir) {
    return located;
  }
  for (const fs::path& directory : with_parents(ancestor)) {
    if (path_is_file(directory / "setup.py")) {
      located.rootdir = directory;
      return located;
    }
  }
  if (directories != std::vector<fs::path>{ancestor}) {
    located = locate_configuration(
        directories.empty() ? std::vector{invocation_directory} : directories, version);
  }
  if (!located.rootdir) {
    located.rootdir = common_ancestor(invocation_directory, {invocation_directory, ancestor});
    if (*located.rootdir == "/") {
      located.rootdir = ancestor;
    }
  }
  return located;
}

void apply_overrides(IniValues& ini, const CommandLine& line) {
  for (const auto& [name, value] : line.overrides) {
    ini[name] = IniValue{.text = value, .list = {}, .is_list = false, .is_native = false};
  }
}

} // namespace

// --- Interface ---

std::string Project::ini_string(const std::string& name) const {
  const auto value = ini.find(name);
  return value == ini.end() ? std::string() : value->second.text;
}

std::vector<std::string> Project::ini_args(const std::string& name,
                                           const std::vector<std::string>& fallback) const {
  const auto value = ini.find(name);
  if (value == ini.end()) {
    return fallback;
  }
  const std::string where =
      fmt::format("{}, option {}", config_file ? config_file->string() : "-o", name);
  if (value->second.is_list) {
    return value->second.list;
  }
  if (value->second.is_native) {
    fail("the option must be a list", where);
  }
  return split_shell_words(value->second.text, where);
}

bool Project::ini_bool(const std::string& name) const {
  const std::string text = util::to_lower(util::strip(ini_string(name)));
  return text == "y" || text == "yes" || text == "t" || text == "true" || text == "on" ||
         text == "1";
}

Project find_project(const ProjectQuery& query) {
  Project project;
  project.version = query.version;
  project.invocation_directory = absolute_path("/", query.invocation_directory);
  std::vector<std::string> words =
      split_shell_words(query.environment.get("PYTEST_ADDOPTS").value_or(""), "PYTEST_ADDOPTS");
  words.insert(words.end(), query.arguments.begin(), query.arguments.end());
  words = expand_argument_files(words, project.invocation_directory, query.version);

  CommandLine early = parse_command_line(words, KnownOptions::core);
  early.rootdir = query.rootdir ? query.rootdir : early.rootdir;
  early.config_file = query.config_file ? query.config_file : early.config_file;
  Located located = locate(early, project.invocation_directory, query.version);
  if (early.rootdir && !early.rootdir->empty()) {
    located.rootdir = absolute_path(project.invocation_directory,
                                    expand_variables(early.rootdir->string(), query.environment));
    if (!path_is_directory(*located.rootdir)) {
      fail("there is no directory " + located.rootdir->string(), "--rootdir");
    }
  }
  project.rootdir = *located.rootdir;
  project.config_file = located.config_file;
  project.is_configured = located.values.has_value();
  project.ini = std::move(located.values).value_or(IniValues());
  apply_overrides(project.ini, early);

  std::vector<std::string> all = expand_argument_files(project.ini_args("addopts"),
                                                       project.invocation_directory, query.version);
  all.insert(all.end(), words.begin(), words.end());
  const auto is_path = [&](const std::string& word) {
    return path_exists(absolute_path(project.invocation_directory, path_of_node_id(word)));
  };
  project.command_line = parse_command_line(all, KnownOptions::with_plugins, is_path);
  constexpr PytestVersion addopts_override_since{9, 1, 0};
  if (query.version >= addopts_override_since) {
    apply_overrides(project.ini, project.command_line);
  }
  return project;
}

std::vector<std::string> starting_points(const Project& project,
                                         std::span<const std::string> given) {
  if (!given.empty()) {
    return {given.begin(), given.end()};
  }
  std::vector<std::string> points;
  if (project.invocation_directory == project.rootdir) {
    for (const std::string& pattern : project.ini_args("testpaths")) {
      if (project.command_line.has_flag("--pyargs")) {
        points.push_back(pattern);
        continue;
      }
      for (std::string& found : glob(pattern, project.invocation_directory)) {
        points.push_back(std::move(found));
      }
    }
  }
  if (points.empty()) {
    points.push_back(project.invocation_directory.string());
  }
  return points;
}

} // namespace testmon_precreate::pytest
