#pragma once

#include <testmon_precreate/datafile/merge.hpp>
#include <testmon_precreate/util/process_environment.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace testmon_precreate {

// What is on the disk of each file of a project beside what was recorded of it, for
// datafile::MergeRequest::disk. Hashes are remembered in the cache directory of `environment`.
[[nodiscard]] std::function<datafile::OnDisk(const std::string& file, std::string_view fsha)>
compare_with_tree(const std::filesystem::path& rootdir,
                  const util::ProcessEnvironment& environment);

} // namespace testmon_precreate
