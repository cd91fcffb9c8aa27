#include "testmon_precreate/selection/git_history.hpp"
#include <testmon_precreate/util/process.hpp>
#include <testmon_precreate/util/text.hpp>

#include <charconv>
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
  int commits = 0;
  std::from_chars(text.data(), text.data() + text.size(), commits);
  return commits;
}

} // namespace testmon_precreate::selection
