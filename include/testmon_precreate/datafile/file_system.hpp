#pragma once

#include <filesystem>
#include <string_view>

namespace testmon_precreate::datafile {

// The name of the network file system that statfs(2) calls `type`; empty for any other one.
[[nodiscard]] std::string_view network_file_system(unsigned long type);

// The same for the file system that holds `directory`; empty if it does not tell.
[[nodiscard]] std::string_view network_file_system_of(const std::filesystem::path& directory);

} // namespace testmon_precreate::datafile
