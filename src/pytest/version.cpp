#include "testmon_precreate/pytest/version.hpp"
#include <testmon_precreate/util/text.hpp>

namespace testmon_precreate::pytest {

std::optional<PytestVersion> pytest_version_among(std::string_view packages) {
  for (const std::string_view part : util::split(packages, ',')) {
    constexpr std::string_view name = "pytest ";
    const std::string_view package = util::strip(part);
    if (package.starts_with(name)) {
      return util::parse_version(package.substr(name.size()));
    }
  }
  return std::nullopt;
}

} // namespace testmon_precreate::pytest
