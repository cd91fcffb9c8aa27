#include "testmon_precreate/python/own_distributions.hpp"
#include <testmon_precreate/util/files.hpp>
#include <testmon_precreate/util/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <system_error>

#include <unistd.h>

namespace testmon_precreate::python {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_file = 1U << 24U;

// Empty if it cannot be read. Most often there is no such file, so that costs no exception.
std::string text_of(const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0) {
    return {};
  }
  try {
    return util::read_file(file, largest_file);
  } catch (const fs::filesystem_error&) {
    return {};
  }
}

// Where `path` is, seen from `rootdir`, links followed; empty if it is not at or below it.
fs::path place_in(const fs::path& rootdir, const fs::path& path) {
  std::error_code error;
  const fs::path place =
      fs::weakly_canonical(path, error).lexically_relative(fs::weakly_canonical(rootdir, error));
  return error || place.empty() || *place.begin() == ".." ? fs::path() : place;
}

std::string without_percent_signs(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    unsigned byte = 0;
    const char* const digits = text.data() + 1;
    if (text.front() == '%' && text.size() > 2 &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      result += static_cast<char>(byte);
      text.remove_prefix(3);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

// The directory that an editable install was made from; empty for anything else.
fs::path editable_source(const fs::path& metadata) {
  // Asked of every distribution: as text, that is quicker.
  const std::string text = text_of(metadata.native() + "/direct_url.json");
  if (text.empty()) {
    return {};
  }
  const auto origin = nlohmann::json::parse(text, nullptr, false);
  const auto url = origin.is_object() ? origin.value("url", nlohmann::json()) : nlohmann::json();
  const auto editable = nlohmann::json::json_pointer("/dir_info/editable");
  if (!url.is_string() || !origin.contains(editable) || origin[editable] != true) {
    return {};
  }
  std::string_view place = url.get_ref<const std::string&>();
  for (const std::string_view scheme : {"file://localhost/", "file:///"}) {
    if (place.starts_with(scheme)) {
      return without_percent_signs(place.substr(scheme.size() - 1));
    }
  }
  return {};
}

// Whether setuptools has made `metadata` in a source tree. In a directory of installed packages,
// which may be in the rootdir too, there is a list of installed files beside it.
bool is_made_in_source_tree(const fs::path& metadata, const fs::path& rootdir) {
  std::error_code error;
  if (metadata.extension() != ".egg-info" || !fs::exists(metadata / "SOURCES.txt", error) ||
      fs::exists(metadata / "installed-files.txt", error)) {
    return false;
  }
  const fs::path place = place_in(rootdir, metadata);
  return !place.empty() && std::none_of(place.begin(), place.end(), [](const fs::path& part) {
    return part == "site-packages" || part == "dist-packages";
  });
}

bool is_own(const Distribution& distribution, const fs::path& rootdir) {
  if (distribution.metadata.empty() || !distribution.name) {
    return false;
  }
  const fs::path source = editable_source(distribution.metadata);
  return source.empty() ? is_made_in_source_tree(distribution.metadata, rootdir)
                        : !place_in(rootdir, source).empty();
}

// The headers Requires-Dist of METADATA or PKG-INFO.
std::string requirements_in(std::string_view headers) {
  std::string requirements;
  for (const std::string_view line : util::split(headers, '\n')) {
    if (util::strip(line).empty()) {
      break; // what follows is the description
    }
    constexpr std::string_view name = "requires-dist:";
    if (util::to_lower(line.substr(0, name.size())) == name) {
      requirements.append(util::strip(line.substr(name.size()))).append("\n");
    }
  }
  return requirements;
}

std::string hash_of(const fs::path& metadata) {
  const std::string text =
      fmt::format("{}\n{}\n{}\n{}", requirements_in(text_of(metadata / "METADATA")),
                  requirements_in(text_of(metadata / "PKG-INFO")),
                  text_of(metadata / "requires.txt"), text_of(metadata / "entry_points.txt"));
  return fmt::format("{:08x}", util::crc32(text));
}

} // namespace

std::string own_distributions(std::span<const Distribution> found, const fs::path& rootdir) {
  std::set<std::string> own;
  std::set<std::string> names_of_others;
  std::vector<const Distribution*> candidates;
  for (const Distribution& distribution : found) {
    if (is_own(distribution, rootdir)) {
      candidates.push_back(&distribution);
    } else {
      names_of_others.insert(distribution.name.value_or(""));
    }
  }
  for (const Distribution* distribution : candidates) {
    if (!names_of_others.contains(*distribution->name)) {
      own.insert(fmt::format("{} {}", *distribution->name, hash_of(distribution->metadata)));
    }
  }
  return fmt::format("{}", fmt::join(own, ", "));
}

} // namespace testmon_precreate::python
