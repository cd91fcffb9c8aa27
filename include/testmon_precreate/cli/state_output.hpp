#pragma once

#include <testmon_precreate/coordination/state.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace testmon_precreate::cli {

// The variables that `testmon-await --shell` prints and `testmon-await -- COMMAND` sets, with their
// values as bytes: TESTMON_XDIST_ENVIRONMENT_ID and so on. TESTMON_XDIST_STATE is the state's path.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
state_variables(const coordination::CoordinationState& state,
                const std::filesystem::path& state_path);

// How many distributions a package text names.
[[nodiscard]] std::size_t package_count(const std::string& packages);

// `export NAME='VALUE'` lines for a POSIX shell's eval.
[[nodiscard]] std::string shell_exports(const coordination::CoordinationState& state,
                                        const std::filesystem::path& state_path);

// The value of one field of the state's JSON as bytes; a dot leads into an object. Null is empty,
// an object is JSON. Throws UsageError for a field that a state does not have.
[[nodiscard]] std::string state_field(const coordination::CoordinationState& state,
                                      const std::string& field);

} // namespace testmon_precreate::cli
