#include <testmon_precreate/selection/working_tree.hpp>
#include <testmon_precreate/util/process.hpp>
#include <testmon_precreate/util/text.hpp>

#include <set>
#include <system_error>

namespace testmon_precreate::selection {

namespace fs = std::filesystem;

namespace {

// A line is `MODE NAME STAGE<tab>PATH`; a path that is listed again is modified or unmerged.
std::unordered_map<std::string, std::string> parse_listing(std::string_view listing) {
  std::unordered_map<std::string, std::string> names;
  std::set<std::string> modified;
  for (const std::string_view line : util::split(listing, '\n')) {
    const std::size_t first_blank = line.find(' ');
    const std::size_t tab = line.find('\t');
    if (first_blank == std::string_view::npos || tab == std::string_view::npos) {
      continue;
    }
    const std::string_view rest = line.substr(first_blank + 1);
    const std::string path(line.substr(tab + 1));
    if (!names.emplace(path, rest.substr(0, rest.find(' '))).second) {
      modified.insert(path);
    }
  }
  for (const std::string& path : modified) {
    names.erase(path);
  }
  return names;
}

} // namespace

std::unordered_map<std::string, std::string>
names_in_git_index(const fs::path& directory, const fs::path& working_directory,
                   const util::ProcessEnvironment& environment) {
  try {
    const util::ProcessOutput output =
        util::run_process({.arguments = {"git", "ls-files", "--stage", "-m", directory.string()},
                           .working_directory = working_directory,
                           .environment = environment,
                           .standard_input = {}});
    if (output.exit_code == 0 && !output.timed_out) {
      return parse_listing(output.standard_output);
    }
  } catch (const std::system_error&) { // NOLINT(bugprone-empty-catch): there is no git
  }
  return {};
}

} // namespace testmon_precreate::selection
