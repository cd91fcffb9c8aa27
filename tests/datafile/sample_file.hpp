#pragma once

#include <testmon_precreate/datafile/datafile.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace testmon_precreate::tests {

// A request for environment `default` with `packages`, for a testmon of data version 13.
[[nodiscard]] datafile::DatafileRequest request_for(const std::filesystem::path& file,
                                                    const std::string& packages);

// Adds what testmon would after a run of `count` tests in environment `id`: each test has a
// fingerprint of its own and shares one with all others.
void add_tests(const std::filesystem::path& file, std::int64_t id, int count);

// The ids that testmon finds for a name.
[[nodiscard]] std::vector<std::int64_t> visible_ids(const std::filesystem::path& file,
                                                    const std::string& name);

// The one number that a query returns.
[[nodiscard]] std::int64_t number(const std::filesystem::path& file, const std::string& query);

// Every row of testmon's tables as text: equal for files that testmon cannot tell apart.
[[nodiscard]] std::string content_of(const std::filesystem::path& file);

// The schema in the order of its making.
[[nodiscard]] std::vector<std::string> schema_of(const std::filesystem::path& file);

// The bytes of a file.
[[nodiscard]] std::string bytes_of(const std::filesystem::path& file);

// The names in a directory, sorted.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

} // namespace testmon_precreate::tests
