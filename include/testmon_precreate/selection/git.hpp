#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace testmon_precreate::selection {

// The commits from HEAD on along first parents, newest first, at most `most`; by one call of
// `git rev-list`. Empty without git or a commit. A shallow clone has only those that it has
// fetched.
[[nodiscard]] std::vector<std::string> first_parents(const std::filesystem::path& directory,
                                                     std::size_t most,
                                                     const util::ProcessEnvironment& environment);

// The branch that HEAD is on; nothing if it is on none, as in most CI jobs.
[[nodiscard]] std::optional<std::string>
current_branch(const std::filesystem::path& directory, const util::ProcessEnvironment& environment);

// How many commits of HEAD's history were made after `time`, in seconds since the epoch; 0 if
// git fails or is missing.
[[nodiscard]] int commits_since(const std::filesystem::path& directory, std::int64_t time,
                                const util::ProcessEnvironment& environment);

// What testmon takes from `git ls-files --stage -m DIRECTORY`, run in `working_directory`: the
// blobs' names of tracked files without changes, by the path that git prints. Empty if git or a
// repository is missing.
[[nodiscard]] std::unordered_map<std::string, std::string>
names_in_git_index(const std::filesystem::path& directory,
                   const std::filesystem::path& working_directory,
                   const util::ProcessEnvironment& environment);

} // namespace testmon_precreate::selection
