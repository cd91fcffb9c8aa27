#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::selection {

// A test that some shard is to run; or a test file as a whole, if its tests are not known.
struct ShardedTest {
  std::string name;                      // FILE::TEST, or FILE
  std::optional<util::Seconds> duration; // as recorded; nothing: taken for the mean of the others
};

// What has to stay together, as xdist's --dist has it.
enum class Together {
  nothing, // files stay whole as long as the shards come out even
  files,   // loadfile, loadscope
  groups   // loadgroup: xdist shows a test's group as `@GROUP` at the end of its name
};

// Which shard runs which test: the same on every machine that starts from the same tests.
class ShardPlan {
public:
  // Spreads `tests` over `count` > 0 shards by their durations: the longest file first, each to the
  // shard that has least to do so far, names deciding between equals. If that leaves a shard
  // with more than a tenth above the mean, the longest files are cut into pieces, unless `together`
  // forbids it.
  ShardPlan(std::span<const ShardedTest> tests, std::size_t count, Together together);

  // The number of the shard, from 0, that runs a test or a test file. A file that is cut counts as
  // the shard's that has its first piece. What the plan does not know goes by the CRC-32 of its
  // group or file, so that a new file moves no other one.
  [[nodiscard]] std::size_t owner_of(std::string_view name) const;

  // Whether a shard has a part of the test file.
  [[nodiscard]] bool has_part_of(std::string_view file, std::size_t shard) const;

  // The owners of test files, of groups as `@GROUP`, and of the tests of files that are cut.
  [[nodiscard]] const std::map<std::string, std::size_t, std::less<>>& owners() const {
    return owners_;
  }

  // What each shard has to do.
  [[nodiscard]] const std::vector<util::Seconds>& durations() const { return durations_; }

private:
  [[nodiscard]] std::string unit_of(std::string_view name) const;

  Together together_;
  std::map<std::string, std::size_t, std::less<>> owners_;
  std::vector<util::Seconds> durations_;
};

// How many shards are worth it: so many that each has about `target` > 0 to do, but no more than
// what stays together allows, for that takes the longest of them all the time. 0: there are no
// tests.
[[nodiscard]] std::size_t shards_that_pay_off(std::span<const ShardedTest> tests,
                                              util::Seconds target, Together together);

} // namespace testmon_precreate::selection
