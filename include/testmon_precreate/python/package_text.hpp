#pragma once

#include <testmon_precreate/python/metadata.hpp>
#include <testmon_precreate/python/testmon_version.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace testmon_precreate::python {

// The text that testmon.common.get_system_packages(ignore) makes of these distributions.
[[nodiscard]] std::string package_text(std::span<const Distribution> distributions,
                                       std::span<const std::string> ignore, PackageRules rules);

// How many distributions such a text names.
[[nodiscard]] std::size_t package_count(std::string_view text);

// The versions in such a text by name; of a name that is there twice `1.0 and 2.0`.
[[nodiscard]] std::map<std::string, std::string> packages_of(std::string_view text);

// testmon.common.drop_patch_version(text): re.sub(r"\b([\w_-]+\s\d+\.\d+)\.\w+\b", r"\1", text).
// Not idempotent. `text` is UTF-8. Beyond ASCII, where PEP 508 and PEP 440 allow neither names nor
// versions, every character counts as a word character, and as no digit or white space.
[[nodiscard]] std::string drop_patch_version(std::string_view text);

} // namespace testmon_precreate::python
