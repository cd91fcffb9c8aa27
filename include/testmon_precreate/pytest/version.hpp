#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string_view>

namespace testmon_precreate::pytest {

// The release of pytest whose rules apply.
struct PytestVersion {
  int major_number = 9;
  int minor_number = 2;
  int micro_number = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 trips over the generated comparison
  auto operator<=>(const PytestVersion&) const = default;
};

// The newest release whose rules are known. Later ones are taken to follow the same.
inline constexpr PytestVersion newest_pytest{9, 2, 0};

// The last ones of the series before it, whose rules differ; newest first.
inline constexpr std::array older_rules{PytestVersion{8, 4, 2}, PytestVersion{7, 4, 4}};

// Reads `8.4.2`, `9.0.0rc1`; numbers that are not there count as 0. Nothing where the text does not
// start with a number.
[[nodiscard]] std::optional<PytestVersion> parse_pytest_version(std::string_view text);

// The version of the distribution `pytest` in a package text as testmon writes it, before the patch
// component is dropped: `Name Version, Name Version, …`. Nothing where it names none.
[[nodiscard]] std::optional<PytestVersion> pytest_version_among(std::string_view packages);

} // namespace testmon_precreate::pytest
