#include "merge_origin.hpp"

#include "merge_source.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>

namespace testmon_precreate::datafile {

Origin::Origin(const std::filesystem::path& file) {
  reading(file, [&] {
    SQLite::Database database(file.string());
    metadata_ = read_metadata(database);
    SQLite::Statement rows(database, "SELECT id, duration, failed FROM test_execution");
    while (rows.executeStep()) {
      const SQLite::Column duration = rows.getColumn(1);
      executions_.emplace_back(rows.getColumn(0).getInt64(),
                               duration.isNull() ? std::nullopt
                                                 : std::optional(duration.getDouble()),
                               rows.getColumn(2).getInt() != 0);
    }
  });
  std::sort(executions_.begin(), executions_.end());
}

bool Origin::has(const Execution& execution) const {
  return std::binary_search(executions_.begin(), executions_.end(),
                            Recorded(execution.id, execution.duration, execution.failed));
}

} // namespace testmon_precreate::datafile
