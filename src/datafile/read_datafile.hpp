#pragma once

#include <testmon_precreate/datafile/connection.hpp>
#include <testmon_precreate/datafile/damage.hpp>
#include <testmon_precreate/datafile/inspection.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <type_traits>

namespace testmon_precreate::datafile {

// What `read(database, data_version)` returns, called as by read_only(); an empty result if there
// is no file or an empty one. Throws what `read` throws; DatabaseError, also for an unknown data
// version.
template <typename Read>
auto read_datafile(const std::filesystem::path& file, util::Seconds busy_timeout, Read read) {
  using Result = std::invoke_result_t<Read, SQLite::Database&, int>;
  return translating_errors(file, [&]() -> Result {
    const std::filesystem::path target = resolve_links(file);
    const Inspection seen = inspect(target);
    require_sound(seen, target);
    if (seen.kind != FileKind::database) {
      return {};
    }
    return read_only(target, seen, busy_timeout, [&](SQLite::Database& database) {
      const int data_version = read_data_version(database);
      require_known_version(data_version, target);
      return read(database, data_version);
    });
  });
}

} // namespace testmon_precreate::datafile
