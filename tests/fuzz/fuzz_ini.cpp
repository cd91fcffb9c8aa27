// Any bytes: the INI parser returns sections or throws IniSyntaxError with a line of the text.

#include <testmon_precreate/pytest/ini_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace pytest = testmon_precreate::pytest;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [section, options] : pytest::parse_ini(text)) {
      if (section.empty()) {
        std::abort();
      }
    }
  } catch (const pytest::IniSyntaxError& error) {
    if (error.line() == 0 || error.line() > size + 1) {
      std::abort();
    }
  }
  return 0;
}
