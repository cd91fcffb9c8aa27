#pragma once

#include <testmon_precreate/affected.hpp>
#include <testmon_precreate/selection/worker_count.hpp>

#include <filesystem>
#include <string>

namespace testmon_precreate {

// The number of workers for a run, and why it is that, for people: "5 tests, about 1.2 s".
struct RightSize {
  int workers = 0;
  std::string because;
};

// How many of `asked` workers pay off for a run of `project`, by what its data file and the working
// tree say; as many as asked for wherever these do not tell all tests that may run. At least
// `least`. Throws as find_affected.
[[nodiscard]] RightSize right_size(const AffectedQuery& query, const pytest::Project& project,
                                   selection::Grouping grouping, int asked, int least);

// Remembers, for later runs, how long the workers of a run took to start, all of them together.
void learn_start_up(const std::filesystem::path& rootdir,
                    const util::ProcessEnvironment& environment, util::Seconds together,
                    int workers);

} // namespace testmon_precreate
