#include <testmon_precreate/python/package_text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace testmon_precreate::python {

namespace {

bool is_left_out(const Distribution& distribution, std::span<const std::string> ignore,
                 PackageRules rules) {
  const std::optional<std::string>& name = distribution.name;
  const std::optional<std::string>& version = distribution.version;
  if (rules.leaves_itself_out && ignore.empty() && name == "pytest-testmon") {
    return true;
  }
  if (name.has_value() && std::find(ignore.begin(), ignore.end(), *name) != ignore.end()) {
    return true;
  }
  return rules.leaves_unknown_out && (name == "UNKNOWN" || version == "0.0.0");
}

} // namespace

std::string package_text(std::span<const Distribution> distributions,
                         std::span<const std::string> ignore, PackageRules rules) {
  // Bytes of UTF-8 sort as Python sorts code points.
  std::set<std::string> packages;
  for (const Distribution& distribution : distributions) {
    if (!is_left_out(distribution, ignore, rules)) {
      packages.insert(fmt::format("{} {}", distribution.name.value_or("None"),
                                  distribution.version.value_or("None")));
    }
  }
  return fmt::format("{}", fmt::join(packages, ", "));
}

} // namespace testmon_precreate::python
