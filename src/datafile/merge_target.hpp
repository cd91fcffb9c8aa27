#pragma once

#include "merge_source.hpp"

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace testmon_precreate::datafile {

// The tests of the file that is merged into. Works inside the caller's transaction; throws
// SQLite::Exception, and BadInput for what it reads.
//
// Fingerprints that no test refers to any more stay: testmon itself deletes them at the end of its
// next run (DB.vacuum_file_fp), which costs a look at every link.
class MergeTarget {
public:
  // `database` must outlive the object.
  explicit MergeTarget(SQLite::Database& database);

  // Adds what `source`, the one with this number, knows of a test.
  void insert(std::int64_t environment, std::string_view name, const Execution& execution,
              MergeSource& source, std::size_t number);

  // Puts it in place of the target's own `old`, whose id stays.
  void replace(const Execution& old, const Execution& execution, MergeSource& source,
               std::size_t number);

  void remove(std::int64_t test);

  // Writes what was kept back to be written at once; to be called last.
  void finish();

private:
  // The target's ids of the fingerprints of a source's test, sorted. Valid until the next call.
  const std::vector<std::int64_t>& map_fingerprints(std::int64_t test, MergeSource& source,
                                                    std::size_t number);
  std::int64_t map_fingerprint(std::int64_t id, MergeSource& source, std::size_t number);
  // The target's id of a row of another file's, which has this id there.
  std::int64_t find_or_insert(const RawStatement& fingerprint, std::int64_t id);
  void add_link(std::int64_t test, std::int64_t fingerprint);

  // What map_fingerprint found last for the ids of one hash: most of the tests beside one another
  // have most of their fingerprints in common. Of one size, however many there are.
  struct Mapped {
    std::int64_t id = 0;
    std::size_t source = 0; // counted from 1; 0: empty
    std::int64_t own = 0;
  };

  SQLite::Database& database_;
  MergeSource own_;
  RawStatement insert_test_;
  RawStatement update_test_;
  RawStatement delete_test_;
  RawStatement delete_links_;
  RawStatement delete_link_;
  RawStatement insert_link_;
  RawStatement insert_links_; // many at once
  RawStatement find_fingerprint_;
  RawStatement insert_fingerprint_;
  std::vector<Mapped> mapped_;
  std::vector<std::int64_t> ids_;
  std::vector<std::pair<std::int64_t, std::int64_t>> links_; // to be written
};

} // namespace testmon_precreate::datafile
