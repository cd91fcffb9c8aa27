#pragma once

#include <testmon_precreate/selection/working_tree.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace testmon_precreate::selection {

// One recorded content of a file: a row of testmon's table file_fp.
struct RecordedContent {
  std::string_view filename; // relative to the rootdir
  std::string_view fsha;     // empty: none was recorded, as for a test that never ran
};

enum class Verdict {
  current,            // the content on the disk; testmon will not run a test for it
  stale,              // another content
  stale_with_another, // the content on the disk; but if the environment has another, stale one
                      // of this file, testmon compares the blocks of both, and may get other ones
};

// What git's index says, asked for at most once and only if it matters.
using GitIndex = std::function<std::unordered_map<std::string, std::string>()>;

// Compares each of `contents` with the disk. The contents of one file stand together. What is
// `current` here is so for testmon too; what is `stale` here may not be for it, as where a filter
// of git's changed the file at checkout.
[[nodiscard]] std::vector<Verdict> compare_with_disk(std::span<const RecordedContent> contents,
                                                     WorkingTree& tree, const GitIndex& git_index);

} // namespace testmon_precreate::selection
