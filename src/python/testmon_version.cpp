#include "testmon_precreate/python/testmon_version.hpp"
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/version.hpp>

#include <optional>

namespace testmon_precreate::python {

namespace {

util::Version supported_release(const std::string& version) {
  const std::optional<util::Version> release = util::parse_version(version);
  if (!release) {
    throw core::EnvironmentProbeError({.what = "the version of pytest-testmon cannot be read",
                                       .where = version,
                                       .hint = "expected one such as 2.2.0"});
  }
  if (*release < util::Version{2, 0, 13}) {
    throw core::EnvironmentProbeError({.what = "this release of pytest-testmon is too old",
                                       .where = version,
                                       .hint = "install pytest-testmon 2.1.1 or newer"});
  }
  if (*release == util::Version{2, 0, 14} || *release == util::Version{2, 0, 15}) {
    throw core::EnvironmentProbeError(
        {.what = "this release of pytest-testmon cannot work with pytest-xdist: its workers write "
                 "into a file that they open read-only",
         .where = version,
         .hint = "install pytest-testmon 2.1.1 or newer"});
  }
  return *release;
}

} // namespace

int data_version_of_testmon(const std::string& testmon_version) {
  constexpr int first_known = 13;
  constexpr int cascading_deletes = 14;
  return supported_release(testmon_version) < util::Version{2, 2, 0} ? first_known
                                                                     : cascading_deletes;
}

PackageRules package_rules_of_testmon(const std::string& testmon_version) {
  const util::Version release = supported_release(testmon_version);
  return {.leaves_itself_out = release >= util::Version{2, 1, 1},
          .leaves_unknown_out = release >= util::Version{2, 1, 4}};
}

} // namespace testmon_precreate::python
