#pragma once

#include <testmon_precreate/util/process_environment.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace testmon_precreate::util {

// What this program keeps for a user between its runs. All of it can be computed again: a
// corrupt file counts as none, and one that cannot be written is no error.

// $XDG_CACHE_HOME/testmon-precreate, ~/.cache/testmon-precreate without that variable; empty
// without HOME too. It need not exist.
[[nodiscard]] std::filesystem::path cache_directory(const ProcessEnvironment& environment);

// `PREFIX-HASH.SUFFIX`. Two keys may get one name: the file must tell its key.
[[nodiscard]] std::string cache_file_name(std::string_view prefix, std::string_view key,
                                          std::string_view suffix);

// Whether `file` is a regular file that only this user can have written.
[[nodiscard]] bool is_own_file(const std::filesystem::path& file);

// Replaces `directory`/`name`, and removes the least recently written files that have its prefix
// (up to the first `-`), so that `most_files` stay. Throws std::filesystem::filesystem_error.
void write_cache_file(const std::filesystem::path& directory, const std::string& name,
                      std::string_view content, std::size_t most_files = 64);

} // namespace testmon_precreate::util
