#pragma once

#include <testmon_precreate/python/python_version.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace testmon_precreate::python {

// A distribution as testmon sees it: two headers of its metadata, each of which may be missing.
struct Distribution {
  std::optional<std::string> name;
  std::optional<std::string> version;
  std::filesystem::path metadata{}; // the directory or file it stands in; empty: not known

  // Whether testmon sees the same.
  friend bool operator==(const Distribution& left, const Distribution& right) {
    return left.name == right.name && left.version == right.version;
  }
};

// The headers `Name` and `Version` of a METADATA or PKG-INFO file, exactly as
// importlib.metadata gives them: universal newlines, then the rules of email.feedparser with the
// policy compat32; from Python 3.10 on, a folded value is dedented (importlib.metadata._adapters).
// `text` is the beginning of the file, or all of it if `complete`.
// Returns nothing if more of the file is needed to be sure. Once it has returned a value, it
// returns the same one for every longer part of that file.
// Throws std::invalid_argument if the part that had to be read is not UTF-8: Python fails too.
[[nodiscard]] std::optional<Distribution> parse_metadata(std::string_view text, bool complete,
                                                         PythonVersion python);

} // namespace testmon_precreate::python
