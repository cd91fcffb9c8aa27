#pragma once

#include <testmon_precreate/datafile/environments.hpp>

#include <filesystem>

namespace testmon_precreate::datafile {

// Makes a complete data file that holds one environment, row id 1. It appears at once and whole.
// Returns false if another process has put a file there meanwhile, which then stands.
// Throws std::filesystem::filesystem_error; SQLite::Exception.
[[nodiscard]] bool create_datafile(const std::filesystem::path& file, int data_version,
                                   const Environment& environment);

} // namespace testmon_precreate::datafile
