#pragma once

#include <testmon_precreate/util/version.hpp>

namespace testmon_precreate::pytest {

// The release of pytest whose rules apply.
using PytestVersion = util::Version;

// The newest release whose rules are known. Later ones are taken to follow the same.
inline constexpr PytestVersion newest_pytest{9, 2, 0};

} // namespace testmon_precreate::pytest
