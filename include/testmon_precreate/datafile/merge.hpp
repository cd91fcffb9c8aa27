#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::datafile {

// A file of the project beside a recorded content of it.
enum class OnDisk { absent, other, same };

// Data files of one project become one: for each test of each environment one recorded execution
// is kept whole, with its outcome, duration and fingerprints.
//
// Any record is sound. testmon (DB.determine_tests and check_fingerprint_db in testmon/db.py; the
// same in 2.0.13, 2.1.3 and 2.2.0, data versions 12 to 14) skips a test only if all checksums of
// its record are among those of the files as they are on the disk now. Whatever record is kept, a
// test is skipped after a merge only if it once ran against the very code that is there. Which one
// is kept decides what a test costs, and whether a failure is forgotten. So the one is kept that is
// first by these, in this order:
//
//  1. It is not the one that `base` has, the file that all inputs started from (or `origin`, which
//     stands for it): it was executed since. Two records of a test are one execution if outcome and
//     duration are equal to the last bit; a test that runs gets a new row
//     (DB.insert_test_file_fps), one that does not keeps its.
//  2. It is an execution, not the placeholder that a test gets when it is collected for the first
//     time (TestmonData.sync_db_fs_tests: the one checksum of "0match", duration NULL), nor what a
//     shard of pytest-split leaves for the tests of the others.
//  3. Every file of it is on the disk as it was then, by testmon's fsha. Only asked if 1 and 2
//  do
//     not decide.
//  4. It failed: testmon selects a test with `failed = 1` always, so a failure stays until a later
//     execution is known as such by 1 or 3.
//  5. It was executed in its file's last run: `forced` is NULL otherwise (DB.determine_tests sets
//  it
//     to NULL for all, DB.insert_test_file_fps to 0 or 1). This orders nothing across files in
//     time, hence its place; it is what makes the next merge see the same as this one.
//  6. `forced`, then the duration: any order will do if only it is the same in every merge.
//
// The order is total, and a record keeps all that it goes by: merging is idempotent, commutative
// and associative, row ids aside.
//
// A test that no input has, while the target is the base and has it, is dropped: all have dropped
// it. One that is missing in some inputs is not: testmon drops what is affected and was not
// collected in a run (sync_db_fs_tests), so a shard lacks what others ran. Otherwise nothing is
// dropped; testmon drops what is gone in the next whole run.
// Shards that the plugin has made know which tests were theirs: what one of them has dropped counts
// as missing in all others of the same plan (shard_mark.hpp).
//
// Environments are the same if name, packages and Python version are; versions of the project's own
// distributions do not count (environments.hpp). No name gets a second visible
// one: stock testmon of data version 14 fails if it meets the wrong one. The target's stays
// visible, unless the target is the base and the inputs have left it for another. The others are
// parked (see parking.hpp); `prepare` brings them back.
//
// testmon's counters in `metadata` (DB.update_saving_stats): with `base` its value and the sum of
// what each file has added, as for shards of one plan, which know what they began with; otherwise
// the largest. Of anything else the largest text, as for
// `last_survey_notification_date`. `suite_execution_file_fsha` is empty in every release.
struct MergeRequest {
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path target; // made if it does not exist, of the inputs' newest data version
  std::optional<std::filesystem::path> base; // may be the target itself

  // Instead of `base`, if the inputs are copies of the target: what it held then (snapshot.hpp). An
  // execution that has the same id, outcome and duration there is the base's.
  std::optional<std::filesystem::path> origin;

  // What is on the disk of a file of the project, beside the fsha that was recorded of it (see
  // process_code.get_source_sha). Not set: nothing is known.
  std::function<OnDisk(const std::string& file, std::string_view fsha)> disk;

  bool skip_bad_inputs = false;      // instead of a DatabaseError
  bool accept_other_project = false; // an input none of whose files is on the disk, beside others
  bool dry_run = false;              // writes nothing
  util::Seconds busy_timeout{60};

  // Called from time to time with the tests that were looked at, and all there are.
  std::function<void(std::size_t done, std::size_t all)> progress;
};

// What became of one input's tests: all of them are new to the target, newer than the target's, or
// ignored.
struct MergedInput {
  std::filesystem::path file;
  std::string problem; // empty, or why it was left out
  std::size_t tests = 0;
  std::size_t added = 0;
  std::size_t newer = 0;

  [[nodiscard]] std::size_t ignored() const { return tests - added - newer; }
};

struct MergeReport {
  std::vector<MergedInput> inputs;
  std::size_t tests = 0;   // in the target afterwards
  std::size_t dropped = 0; // of the target's, because every input has dropped them
  bool created = false;
  int data_version = 0; // the target's
};

// Merges into the target in one transaction, under the file's ordinary locks; on any error it is as
// before. The inputs and `base` are read with their write-ahead logs and not changed, whatever
// their data versions. Throws DatabaseError, which names every input that cannot be used: one that
// is missing, a directory, empty, damaged, of an unknown data version, the target, another
// project's, or changed meanwhile.
[[nodiscard]] MergeReport merge(const MergeRequest& request);

} // namespace testmon_precreate::datafile
