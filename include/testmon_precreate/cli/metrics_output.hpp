#pragma once

#include <filesystem>
#include <ostream>

namespace testmon_precreate::cli {

// Sums up a metrics file (TESTMON_XDIST_METRICS) for people or as JSON. Throws filesystem_error.
void print_metrics(const std::filesystem::path& file, bool as_json, std::ostream& out);

} // namespace testmon_precreate::cli
