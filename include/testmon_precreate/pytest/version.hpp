#pragma once

#include <testmon_precreate/util/version.hpp>

#include <optional>
#include <string_view>

namespace testmon_precreate::pytest {

// The release of pytest whose rules apply.
using PytestVersion = util::Version;

// The newest release whose rules are known. Later ones are taken to follow the same.
inline constexpr PytestVersion newest_pytest{9, 2, 0};

// The version of the distribution `pytest` in a package text as testmon writes it, before the patch
// component is dropped: `Name Version, Name Version, …`. Nothing if it names none.
[[nodiscard]] std::optional<PytestVersion> pytest_version_among(std::string_view packages);

} // namespace testmon_precreate::pytest
