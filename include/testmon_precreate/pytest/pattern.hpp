#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace testmon_precreate::pytest {

// A pattern of Python's module fnmatch as of Python 3.13: `*`, `?`, `[a-z]`, `[!a-z]`; a `*` also
// matches separators and leading dots. Names are UTF-8; a byte that is not counts as one character,
// as under Python's surrogateescape.
class Pattern {
public:
  explicit Pattern(std::string_view text);

  [[nodiscard]] bool matches(std::string_view name) const;

private:
  bool is_simple_ = false;
  std::u32string pattern_; // of one that is not simple
  // `prefix*suffix`, the form of nearly every pattern, is compared without decoding.
  bool has_star_ = false;
  std::string prefix_;
  std::string suffix_;
};

// Patterns as pytest's fnmatch_ex applies them (_pytest/pathlib.py): to the base name, or, if
// the pattern has a separator, to the whole path, before which anything may stand.
class PathPatterns {
public:
  PathPatterns() = default;
  explicit PathPatterns(const std::vector<std::string>& texts);

  // Whether one of the patterns matches `directory`/`name`; `directory` is absolute.
  [[nodiscard]] bool match(std::string_view directory, std::string_view name) const;

private:
  std::vector<Pattern> of_names_;
  std::vector<Pattern> of_paths_;
};

} // namespace testmon_precreate::pytest
