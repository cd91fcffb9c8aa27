#include "testmon_precreate/selection/git.hpp"
#include <testmon_precreate/util/process.hpp>
#include <testmon_precreate/util/text.hpp>

#include <set>
#include <system_error>

namespace testmon_precreate::selection {

namespace fs = std::filesystem;

namespace {

// What git prints; nothing if it fails or is missing.
std::string ask_git(std::vector<std::string> words, const fs::path& directory,
                    const util::ProcessEnvironment& environment) {
  words.insert(words.begin(), "git");
  try {
    util::ProcessOutput output = util::run_process({.arguments = std::move(words),
                                                    .working_directory = directory,
                                                    .environment = environment,
                                                    .standard_input = {}});
    if (output.exit_code == 0 && !output.timed_out) {
      return std::move(output.standard_output);
    }
  } catch (const std::system_error&) { // NOLINT(bugprone-empty-catch): there is no git
  }
  return {};
}

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

std::vector<std::string> first_parents(const fs::path& directory, std::size_t most,
                                       const util::ProcessEnvironment& environment) {
  const std::string listing =
      ask_git({"rev-list", "--first-parent", "--max-count=" + std::to_string(most), "HEAD"},
              directory, environment);
  std::vector<std::string> commits;
  for (const std::string_view line : util::split(listing, '\n')) {
    if (!line.empty()) {
      commits.emplace_back(line);
    }
  }
  return commits;
}

std::optional<std::string> current_branch(const fs::path& directory,
                                          const util::ProcessEnvironment& environment) {
  const std::string name(
      util::strip(ask_git({"symbolic-ref", "--quiet", "--short", "HEAD"}, directory, environment)));
  return name.empty() ? std::nullopt : std::optional(name);
}

int commits_since(const fs::path& directory, std::int64_t time,
                  const util::ProcessEnvironment& environment) {
  const std::string text = ask_git(
      {"rev-list", "--count", "--since=@" + std::to_string(time), "HEAD"}, directory, environment);
  return util::parse_number<int>(util::strip(text)).value_or(0);
}

std::unordered_map<std::string, std::string>
names_in_git_index(const fs::path& directory, const fs::path& working_directory,
                   const util::ProcessEnvironment& environment) {
  return parse_listing(
      ask_git({"ls-files", "--stage", "-m", directory.string()}, working_directory, environment));
}

} // namespace testmon_precreate::selection
