#pragma once

#include <testmon_precreate/core/settings.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace testmon_precreate {

// A directory of data files by environment and commit, which a team's own storage carries from
// machine to machine. Below it:
//
//   ENVIRONMENT/COMMIT.NUMBER.testmondata   a data file as it was pushed; NUMBER is random, so that
//                                           several can be pushed for one commit: by shards, or
//                                           when a job is run again
//   ENVIRONMENT/branches/BRANCH             the commit that was pushed last on a branch
//
// In the names of environments and branches, every byte but A-Z a-z 0-9 _ - . is written as %XX.
// Files appear by renaming; no two pushes write to the same one.
struct StoreRequest {
  std::filesystem::path directory;
  std::string environment_name; // the folder, as people give it
  std::filesystem::path rootdir;
  std::filesystem::path datafile; // the project's own
  core::Settings settings;
  std::optional<std::string> branch;
  std::size_t most_files = 500;            // of an environment
  std::uintmax_t most_bytes = 2ULL << 30U; // of an environment
  util::ProcessEnvironment environment;
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

// What makes a CI job one of a pull request, whose data nobody else should get: the variable's
// name; nothing if it is none. Known are GitHub Actions, GitLab, CircleCI and Buildkite.
[[nodiscard]] std::optional<std::string>
pull_request_variable(const util::ProcessEnvironment& environment);

// The branch that a CI job is about, by its service's variables, else the one that HEAD is on.
[[nodiscard]] std::optional<std::string> branch_of(const std::filesystem::path& rootdir,
                                                   const util::ProcessEnvironment& environment);

struct Pushed {
  std::filesystem::path file;
  std::size_t removed = 0; // files of this environment that were longest not used
};

// Copies the project's data file into the store, for HEAD. Then the files that were longest not
// used go until both limits hold. Throws core::DatabaseError; core::CoordinationError without a
// commit or a data file; std::filesystem::filesystem_error.
Pushed push_to_store(const StoreRequest& request);

struct Pulled {
  std::string commit;
  std::optional<std::size_t> distance; // in commits from HEAD; nothing: by the branch's name
  std::size_t files = 0;
};

// Makes the project's data file from the stored ones of the nearest first-parent ancestor of HEAD,
// HEAD included, that has any, else from those that were pushed last on the branch; see take_over.
// Returns nothing if there are none. Throws std::filesystem::filesystem_error.
std::optional<Pulled> pull_from_store(const StoreRequest& request);

} // namespace testmon_precreate
