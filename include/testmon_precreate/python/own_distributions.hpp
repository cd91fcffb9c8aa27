#pragma once

#include <testmon_precreate/python/metadata.hpp>

#include <filesystem>
#include <span>
#include <string>

namespace testmon_precreate::python {

// Those of `found` whose code lies in `rootdir`, where testmon follows it file by file, so that
// their version says nothing that testmon does not know better: `NAME HASH, NAME HASH`, sorted.
//
// They are
// - editable installs (PEP 660), by PEP 610: a direct_url.json with `"editable": true` and a
//   `file://` URL at or below the rootdir. pip, uv, hatch, Poetry, PDM and flit write it;
// - what `setup.py develop` and .egg-link files refer to: an .egg-info directory in the rootdir as
//   setuptools makes it in a source tree.
// A name that is also installed in another way is not among them: its code may be that one.
//
// HASH is a checksum of what else an installation says and other packages may act on: entry points
// and required distributions (entry_points.txt, requires.txt, the headers Requires-Dist).
[[nodiscard]] std::string own_distributions(std::span<const Distribution> found,
                                            const std::filesystem::path& rootdir);

} // namespace testmon_precreate::python
