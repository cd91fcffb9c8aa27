#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace testmon_precreate::util {

// The first three numbers of a version: the release segment of PEP 440. (glibc has macros `major`
// and `minor`.)
struct Version {
  int major_number = 0;
  int minor_number = 0;
  int micro_number = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 trips over the generated comparison
  auto operator<=>(const Version&) const = default;
};

// Reads `8.4.2`, `9.0.0rc1`, `2.2.dev1`; numbers that are missing count as 0. Nothing if the text
// does not start with a number.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);

} // namespace testmon_precreate::util
