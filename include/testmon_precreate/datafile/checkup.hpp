#pragma once

#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace testmon_precreate::datafile {

// What `doctor` looks at. Both functions open nothing for writing and throw core::DatabaseError.

// How many tests of an environment ran and are recorded to depend on no file but the one that they
// are in.
[[nodiscard]] std::size_t count_tests_without_other_files(const std::filesystem::path& file,
                                                          std::int64_t environment,
                                                          util::Seconds busy_timeout);

// Reads the whole file. Throws DamagedFile (damage.hpp) with the first thing that is wrong.
void check_integrity(const std::filesystem::path& file, util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
