#include "merge_metadata.hpp"
#include <testmon_precreate/datafile/statements.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace testmon_precreate::datafile {

namespace {

// DB.update_saving_stats of testmon/db.py; `None` stands for every environment.
bool is_counter(const std::string& key) {
  constexpr std::array<std::string_view, 8> counters{"None:time_saved",
                                                     "None:time_all",
                                                     "None:tests_saved",
                                                     "None:tests_all",
                                                     "None:potential_time_saved",
                                                     "None:potential_time_all",
                                                     "None:potential_tests_saved",
                                                     "None:potential_tests_all"};
  return std::find(counters.begin(), counters.end(), key) != counters.end();
}

// 0 if the text is no number.
double number_in(const std::string& text) { return util::parse_number<double>(text).value_or(0); }

double counter_of(const Metadata& metadata, const std::string& key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? 0 : number_in(found->second);
}

// What each file has added to the base's value.
double add_up(const std::string& key, const std::vector<Metadata>& files, const Metadata& base) {
  const double start = counter_of(base, key);
  double sum = start;
  for (const Metadata& file : files) {
    const double value = counter_of(file, key);
    // One that counts less than the base did not start from it.
    sum += value < start ? value : value - start;
  }
  return sum;
}

bool is_less(const std::string& key, const std::string& left, const std::string& right) {
  if (is_counter(key)) {
    return number_in(left) < number_in(right);
  }
  return left < right;
}

} // namespace

Metadata read_metadata(SQLite::Database& database) {
  SQLite::Statement rows(database, "SELECT dataid, data FROM metadata WHERE data IS NOT NULL"
                                   " AND dataid NOT LIKE 'testmon-precreate:%'");
  Metadata metadata;
  while (rows.executeStep()) {
    metadata[rows.getColumn(0).getString()] = rows.getColumn(1).getString();
  }
  return metadata;
}

Metadata combine_metadata(const std::vector<Metadata>& files, const Metadata* base) {
  Metadata combined;
  for (const Metadata& file : files) {
    for (const auto& [key, value] : file) {
      const auto known = combined.try_emplace(key, value).first;
      if (is_less(key, known->second, value)) {
        known->second = value;
      }
    }
  }
  for (auto& [key, value] : combined) {
    if (base != nullptr && is_counter(key)) {
      value = fmt::format("{}", add_up(key, files, *base));
    }
  }
  return combined;
}

void write_metadata(SQLite::Database& database, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    run(database,
        "INSERT INTO metadata (dataid, data) VALUES (?, ?) ON CONFLICT (dataid)"
        " DO UPDATE SET data = excluded.data WHERE data IS NOT excluded.data",
        key, value);
  }
}

} // namespace testmon_precreate::datafile
