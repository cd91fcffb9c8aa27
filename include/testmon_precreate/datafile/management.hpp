#pragma once

#include <testmon_precreate/datafile/environments.hpp>
#include <testmon_precreate/util/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace testmon_precreate::datafile {

// What `environments` shows and steers. Every function throws core::DatabaseError, and
// core::UsageError for an id that the file does not have.

struct ListedEnvironment {
  EnvironmentRow row;
  util::Seconds parked_at{0}; // since the epoch; 0 for a visible row or if it is not known
  std::size_t tests = 0;
};

// Every environment of `file`, by name and id; none if the file does not exist. Opens nothing
// for writing.
[[nodiscard]] std::vector<ListedEnvironment> list_environments(const std::filesystem::path& file,
                                                               util::Seconds busy_timeout);

// Parks environments; those that are parked already stay so. Returns how many it parked.
std::size_t park_environments(const std::filesystem::path& file, std::span<const std::int64_t> ids,
                              util::Seconds busy_timeout);

// Brings a parked environment back; the visible one of that name is parked instead. Returns false
// if it is visible already. Throws core::UsageError if the visible one has the same packages
// and Python version.
bool restore_environment(const std::filesystem::path& file, std::int64_t id,
                         util::Seconds busy_timeout);

// Deletes all but the `keep` most recently used parked environments of `name`, or of each name.
// Returns how many went.
std::size_t prune_environments(const std::filesystem::path& file,
                               const std::optional<std::string>& name, std::size_t keep,
                               util::Seconds busy_timeout);

} // namespace testmon_precreate::datafile
