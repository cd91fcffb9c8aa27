#pragma once

#include "merge_metadata.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace testmon_precreate::datafile {

// What the run of a shard has left in testmon's table `metadata` (the plugin's shard.py), for
// `merge` alone: a row `testmon-precreate:shard` with its plan's id; rows
// `testmon-precreate:shard:<key>` with the metadata as it was before the run; and a row
// `testmon-precreate:dropped:<environment id>:<test>` for each test that was this shard's and is
// not there any more. The other shards of the plan still have such a test, because a shard keeps
// what is not its own. The next run's preparation removes the mark.
struct ShardMark {
  using Tests = std::set<std::string, std::less<>>;

  std::string plan;
  Metadata before;
  std::map<std::int64_t, Tests> dropped; // by the environment's id
};

// Nothing if no shard's run was the last one. Throws SQLite::Exception.
[[nodiscard]] std::optional<ShardMark> read_shard_mark(SQLite::Database& database);

// Throws SQLite::Exception.
[[nodiscard]] bool has_shard_mark(SQLite::Database& database);

// Inside the caller's transaction; throws SQLite::Exception.
void remove_shard_mark(SQLite::Database& database);

} // namespace testmon_precreate::datafile
