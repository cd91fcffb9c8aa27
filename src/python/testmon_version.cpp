#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/testmon_version.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <system_error>

namespace testmon_precreate::python {

namespace {

using Release = std::array<int, 3>;

// The release segment of PEP 440: `2.1.4`, `2.2`, `2.1.4.dev3`, `2.2.0rc1`.
Release parse_release(const std::string& version) {
  Release release{};
  const char* position = version.data();
  const char* const end = version.data() + version.size();
  for (std::size_t i = 0; i < release.size(); ++i) {
    const auto [after, error] = std::from_chars(position, end, release.at(i));
    if (error != std::errc()) {
      if (i > 0) {
        break; // `2.2.dev1`: the missing components are zero
      }
      throw core::EnvironmentProbeError({.what = "the version of pytest-testmon cannot be read",
                                         .where = version,
                                         .hint = "expected one such as 2.2.0"});
    }
    if (after == end || *after != '.') {
      break;
    }
    position = after + 1;
  }
  return release;
}

Release supported_release(const std::string& version) {
  const Release release = parse_release(version);
  if (release < Release{2, 0, 13}) {
    throw core::EnvironmentProbeError({.what = "this release of pytest-testmon is too old",
                                       .where = version,
                                       .hint = "install pytest-testmon 2.1.1 or newer"});
  }
  if (release == Release{2, 0, 14} || release == Release{2, 0, 15}) {
    throw core::EnvironmentProbeError(
        {.what = "this release of pytest-testmon cannot work with pytest-xdist: its workers write "
                 "into a file that they open read-only",
         .where = version,
         .hint = "install pytest-testmon 2.1.1 or newer"});
  }
  return release;
}

} // namespace

int data_version_of_testmon(const std::string& testmon_version) {
  constexpr int first_known = 13;
  constexpr int cascading_deletes = 14;
  return supported_release(testmon_version) < Release{2, 2, 0} ? first_known : cascading_deletes;
}

PackageRules package_rules_of_testmon(const std::string& testmon_version) {
  const Release release = supported_release(testmon_version);
  return {.leaves_itself_out = release >= Release{2, 1, 1},
          .leaves_unknown_out = release >= Release{2, 1, 4}};
}

} // namespace testmon_precreate::python
