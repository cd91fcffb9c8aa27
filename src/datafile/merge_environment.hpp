#pragma once

#include "merge_choice.hpp"
#include "merge_inputs.hpp"
#include "merge_origin.hpp"
#include "merge_source.hpp"
#include "merge_target.hpp"
#include "shard_mark.hpp"

#include <testmon_precreate/datafile/merge.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// The tests of an environment in one file.
struct Reader {
  TestStream tests;
  MergeSource* source = nullptr;
  std::size_t number = 0;       // of the file among the inputs
  MergedInput* input = nullptr; // null: the target, unless it began as a copy of an input
  bool is_target = false;
  ShardMark::Tests dropped{}; // by another shard of the same plan: they are gone
};

// What the work on all environments shares.
struct MergeWork {
  const Disk& disk;
  const Origin* origin = nullptr; // null: there is none
  MergeTarget* target = nullptr;  // null in a dry run
  std::size_t dropped = 0;
  std::function<void()> count_test; // called with each test of an input
};

// Goes through the tests of one environment in all files at once, by name: what it keeps in memory
// is one test.
class EnvironmentMerge {
public:
  // `environment` is the target's row. The target's reader comes first, if there is one.
  EnvironmentMerge(MergeWork& work, std::int64_t environment, std::vector<Reader> readers);

  // What all inputs started from.
  void set_base(TestStream base);
  void set_target_as_base();

  // Throws as MergeTarget and TestStream do.
  void run();

private:
  // Takes the next name with all that is recorded under it, which may be nothing after another
  // shard has dropped it; false: there is none.
  bool collect_next_test();
  void collect(Reader& reader);
  [[nodiscard]] bool is_targets(std::size_t index) const;
  std::optional<Execution> find_base();
  void settle();
  void drop();
  void keep(std::size_t index);

  MergeWork& work_;
  std::int64_t environment_;
  std::vector<Reader> readers_;
  std::optional<TestStream> base_;
  bool target_is_base_ = false;
  std::string name_;
  std::vector<Execution> executions_;
  std::vector<const Reader*> owners_; // of the executions
};

} // namespace testmon_precreate::datafile
