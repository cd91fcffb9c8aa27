#include "shard_mark.hpp"
#include <testmon_precreate/util/text.hpp>

#include <string_view>

namespace testmon_precreate::datafile {

namespace {

// `<environment id>:<test>`
void add_dropped(std::string_view key, ShardMark& mark) {
  const std::size_t colon = key.find(':');
  const auto environment = util::parse_number<std::int64_t>(key.substr(0, colon));
  if (environment && colon != std::string_view::npos) {
    mark.dropped[*environment].emplace(key.substr(colon + 1));
  }
}

} // namespace

std::optional<ShardMark> read_shard_mark(SQLite::Database& database) {
  if (!has_shard_mark(database)) {
    return std::nullopt;
  }
  constexpr std::string_view of_dropped = "testmon-precreate:dropped:";
  constexpr std::string_view of_shard = "testmon-precreate:shard";
  ShardMark mark;
  SQLite::Statement rows(database, "SELECT dataid, data FROM metadata WHERE"
                                   " dataid >= 'testmon-precreate:dropped:' AND"
                                   " dataid < 'testmon-precreate:shard;'");
  while (rows.executeStep()) {
    const std::string key = rows.getColumn(0).getString();
    if (key.starts_with(of_dropped)) {
      add_dropped(std::string_view(key).substr(of_dropped.size()), mark);
    } else if (key == of_shard) {
      mark.plan = rows.getColumn(1).getString();
    } else if (key.starts_with(of_shard)) {
      mark.before[key.substr(of_shard.size() + 1)] = rows.getColumn(1).getString();
    }
  }
  return mark;
}

bool has_shard_mark(SQLite::Database& database) {
  SQLite::Statement row(database,
                        "SELECT 1 FROM metadata WHERE dataid = 'testmon-precreate:shard'");
  return row.executeStep();
}

void remove_shard_mark(SQLite::Database& database) {
  // ';' comes after ':'.
  database.exec("DELETE FROM metadata WHERE"
                " (dataid >= 'testmon-precreate:shard' AND dataid < 'testmon-precreate:shard;') OR"
                " (dataid >= 'testmon-precreate:dropped:' AND"
                " dataid < 'testmon-precreate:dropped;')");
}

} // namespace testmon_precreate::datafile
