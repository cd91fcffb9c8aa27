#include <testmon_precreate/pytest/version.hpp>
#include <testmon_precreate/util/text.hpp>

#include <array>
#include <charconv>

namespace testmon_precreate::pytest {

std::optional<PytestVersion> parse_pytest_version(std::string_view text) {
  std::array<int, 3> numbers{};
  const char* position = text.data();
  const char* const end = position + text.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto [next, error] = std::from_chars(position, end, numbers[i]);
    if (error != std::errc()) {
      if (i == 0) {
        return std::nullopt;
      }
      break;
    }
    if (next == end || *next != '.') {
      break;
    }
    position = next + 1;
  }
  return PytestVersion{numbers[0], numbers[1], numbers[2]};
}

std::optional<PytestVersion> pytest_version_among(std::string_view packages) {
  for (const std::string_view part : util::split(packages, ',')) {
    constexpr std::string_view name = "pytest ";
    const std::string_view package = util::strip(part);
    if (package.starts_with(name)) {
      return parse_pytest_version(package.substr(name.size()));
    }
  }
  return std::nullopt;
}

} // namespace testmon_precreate::pytest
