#include "testmon_precreate/current_tree.hpp"
#include <testmon_precreate/selection/working_tree.hpp>
#include <testmon_precreate/util/user_cache.hpp>

#include <memory>

namespace testmon_precreate {

std::function<datafile::OnDisk(const std::string&, std::string_view)>
compare_with_tree(const std::filesystem::path& rootdir,
                  const util::ProcessEnvironment& environment) {
  const auto tree =
      std::make_shared<selection::WorkingTree>(rootdir, util::cache_directory(environment));
  return [tree](const std::string& file, std::string_view fsha) {
    const selection::ContentHashes* hashes = tree->look_at(file);
    if (hashes == nullptr) {
      return datafile::OnDisk::absent;
    }
    return hashes->match(fsha) ? datafile::OnDisk::same : datafile::OnDisk::other;
  };
}

} // namespace testmon_precreate
