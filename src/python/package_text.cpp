#include "testmon_precreate/python/package_text.hpp"
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>

namespace testmon_precreate::python {

namespace {

bool is_left_out(const Distribution& distribution, std::span<const std::string> ignore,
                 PackageRules rules) {
  const std::optional<std::string>& name = distribution.name;
  const std::optional<std::string>& version = distribution.version;
  if (rules.leaves_itself_out && ignore.empty() && name == "pytest-testmon") {
    return true;
  }
  if (name.has_value() && std::find(ignore.begin(), ignore.end(), *name) != ignore.end()) {
    return true;
  }
  return rules.leaves_unknown_out && (name == "UNKNOWN" || version == "0.0.0");
}

// --- drop_patch_version ---

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F); }

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_';
}

// [\w_-]
bool is_name(char c) { return c == '-' || is_word(c); }

// The end of the run of characters from `at` on for which `predicate` holds.
template <typename Predicate>
std::size_t skip(std::string_view text, std::size_t at, Predicate predicate) {
  const auto* const from = text.begin() + static_cast<std::ptrdiff_t>(at);
  return static_cast<std::size_t>(std::find_if_not(from, text.end(), predicate) - text.begin());
}

// `\s\d+\.\d+\.\w+\b` at `at`: where the third component begins, with its dot, and ends. No class
// overlaps with what must follow it, so greedy runs never have to give anything back.
struct PatchVersion {
  std::size_t begin;
  std::size_t end;
};

std::optional<PatchVersion> match_version(std::string_view text, std::size_t at) {
  if (at == text.size() || !is_space(text[at++])) {
    return std::nullopt;
  }
  for (int component = 0; component < 2; ++component) {
    const std::size_t end = skip(text, at, is_digit);
    if (end == at || end == text.size() || text[end] != '.') {
      return std::nullopt;
    }
    at = end + 1;
  }
  const std::size_t end = skip(text, at, is_word);
  if (end == at) {
    return std::nullopt;
  }
  return PatchVersion{.begin = at - 1, .end = end};
}

} // namespace

std::string package_text(std::span<const Distribution> distributions,
                         std::span<const std::string> ignore, PackageRules rules) {
  // Bytes of UTF-8 sort as Python sorts code points.
  std::set<std::string> packages;
  for (const Distribution& distribution : distributions) {
    if (!is_left_out(distribution, ignore, rules)) {
      packages.insert(fmt::format("{} {}", distribution.name.value_or("None"),
                                  distribution.version.value_or("None")));
    }
  }
  return fmt::format("{}", fmt::join(packages, ", "));
}

std::size_t package_count(std::string_view text) {
  return text.empty() ? 0 : util::split(text, ',').size();
}

std::map<std::string, std::string> packages_of(std::string_view text) {
  constexpr std::string_view separator = ", ";
  std::map<std::string, std::string> packages;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(text.size(), entry.size() + separator.size()));
    const std::size_t blank = entry.rfind(' ');
    std::string& versions = packages[std::string(entry.substr(0, blank))];
    versions.append(versions.empty() ? "" : " and ");
    versions.append(blank == std::string_view::npos ? "" : entry.substr(blank + 1));
  }
  return packages;
}

std::string drop_patch_version(std::string_view text) {
  std::string result;
  std::size_t copied = 0; // input up to here is in the result
  std::size_t at = 0;
  bool after_word = false; // whether the character before `at` is a word character
  while (at < text.size()) {
    // A run of [\w_-] with a word boundary somewhere in it can begin a match.
    bool has_boundary = false;
    const std::size_t run = at;
    for (; at < text.size() && is_name(text[at]); ++at) {
      has_boundary = has_boundary || is_word(text[at]) != after_word;
      after_word = is_word(text[at]);
    }
    const auto version = at > run && has_boundary ? match_version(text, at) : std::nullopt;
    if (version.has_value()) {
      result.append(text.substr(copied, version->begin - copied));
      copied = version->end;
      at = version->end;
      after_word = true;
    } else if (at < text.size()) {
      after_word = false;
      ++at;
    }
  }
  return result.append(text.substr(copied));
}

} // namespace testmon_precreate::python
