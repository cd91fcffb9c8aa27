#include "testmon_precreate/pytest/pattern.hpp"

#include "paths.hpp"

#include <testmon_precreate/util/unicode.hpp>

#include <algorithm>

namespace testmon_precreate::pytest {

namespace {

constexpr std::size_t none = std::u32string_view::npos;

// Where the element of `pattern` that begins at `at` ends: a set, or else one character.
std::size_t element_end(std::u32string_view pattern, std::size_t at) {
  std::size_t end = at + 1;
  if (pattern[at] == U'[') {
    for (const char32_t literal : {U'!', U']'}) { // which may stand first in a set
      end += end < pattern.size() && pattern[end] == literal ? 1U : 0U;
    }
    end = pattern.find(U']', end);
  }
  return pattern[at] == U'[' && end != none ? end + 1 : at + 1;
}

// Whether the set, given without its brackets, holds `character`.
bool set_holds(std::u32string_view set, char32_t character) {
  const auto begins_with_range = [&set] { return set.size() > 2 && set[1] == U'-'; };
  bool negated = set.front() == U'!';
  bool found = false;
  if (negated) {
    set.remove_prefix(1);
  } else {
    // fnmatch drops empty ranges; a `!` that comes first then negates, and begins no range.
    while (begins_with_range() && set[0] > set[2]) {
      set.remove_prefix(3);
    }
    negated = set.starts_with(U'!');
    if (negated) {
      found = begins_with_range() && (character == U'-' || character == set[2]);
      set.remove_prefix(begins_with_range() ? 3 : 1);
    }
  }
  while (!set.empty()) {
    const std::size_t last = begins_with_range() ? 2 : 0;
    found = found || (set[0] <= character && character <= set[last]);
    set.remove_prefix(last + 1);
  }
  return found != negated;
}

bool matches_one(std::u32string_view element, char32_t character) {
  if (element.size() > 1) {
    return set_holds(element.substr(1, element.size() - 2), character);
  }
  return element[0] == U'?' || element[0] == character;
}

} // namespace

Pattern::Pattern(std::string_view text) {
  const std::size_t star = text.find('*');
  has_star_ = star != std::string_view::npos;
  is_simple_ = text.find_first_of("?[") == std::string_view::npos && star == text.rfind('*') &&
               util::is_utf8(text);
  if (is_simple_) {
    prefix_ = text.substr(0, star);
    suffix_ = has_star_ ? text.substr(star + 1) : std::string_view();
  } else {
    pattern_ = util::decode_surrogateescape(text);
  }
}

bool Pattern::matches(std::string_view name) const {
  if (is_simple_) {
    return has_star_ ? name.size() >= prefix_.size() + suffix_.size() &&
                           name.starts_with(prefix_) && name.ends_with(suffix_)
                     : name == prefix_;
  }
  const std::u32string_view pattern = pattern_;
  const std::u32string characters = util::decode_surrogateescape(name);
  // On a mismatch the last star takes one character more; earlier stars never need to.
  std::size_t at = 0;
  std::size_t position = 0;
  std::size_t star = none;
  std::size_t star_position = 0;
  while (position < characters.size()) {
    const std::size_t end = at < pattern.size() ? element_end(pattern, at) : at;
    if (end > at && pattern[at] == U'*') {
      star = at;
      star_position = position;
      at = end;
    } else if (end > at && matches_one(pattern.substr(at, end - at), characters[position])) {
      at = end;
      ++position;
    } else if (star != none) {
      at = star + 1;
      position = ++star_position;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of(U'*', at) == none;
}

PathPatterns::PathPatterns(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (text.find('/') == std::string::npos) {
      of_names_.emplace_back(text);
    } else {
      of_paths_.emplace_back(text.front() == '/' ? text : "*/" + text);
    }
  }
}

bool PathPatterns::match(std::string_view directory, std::string_view name) const {
  const auto matches_name = [&](const Pattern& pattern) { return pattern.matches(name); };
  if (std::any_of(of_names_.begin(), of_names_.end(), matches_name)) {
    return true;
  }
  if (of_paths_.empty()) {
    return false;
  }
  const std::string path = join(directory, name);
  return std::any_of(of_paths_.begin(), of_paths_.end(),
                     [&](const Pattern& pattern) { return pattern.matches(path); });
}

} // namespace testmon_precreate::pytest
