#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// testmon's table `metadata`, without our own rows.
using Metadata = std::map<std::string, std::string>;

// Throws SQLite::Exception.
[[nodiscard]] Metadata read_metadata(SQLite::Database& database);

// By the rule of merge.hpp; `base` may be null.
[[nodiscard]] Metadata combine_metadata(const std::vector<Metadata>& files, const Metadata* base);

// Inside the caller's transaction; throws SQLite::Exception.
void write_metadata(SQLite::Database& database, const Metadata& metadata);

} // namespace testmon_precreate::datafile
