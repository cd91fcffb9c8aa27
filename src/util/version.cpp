#include "testmon_precreate/util/version.hpp"

#include <charconv>
#include <system_error>

namespace testmon_precreate::util {

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const char* position = text.data();
  const char* const end = position + text.size();
  for (int* const number : {&version.major_number, &version.minor_number, &version.micro_number}) {
    const auto [next, error] = std::from_chars(position, end, *number);
    if (error != std::errc()) {
      return number == &version.major_number ? std::nullopt : std::optional(version);
    }
    if (next == end || *next != '.') {
      break;
    }
    position = next + 1;
  }
  return version;
}

} // namespace testmon_precreate::util
