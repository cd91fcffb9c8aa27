// The parser of METADATA and the regular expression over what it finds. Whatever the bytes are: a
// part of a text gives nothing or what the whole gives, and dropping patch versions only removes.
#include <testmon_precreate/python/metadata.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/util/unicode.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace python = testmon_precreate::python;
namespace util = testmon_precreate::util;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// Nothing if the text is not UTF-8.
std::optional<python::Distribution> parse(std::string_view text, python::PythonVersion version) {
  try {
    return python::parse_metadata(text, true, version);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

void check_parts(std::string_view text, const std::optional<python::Distribution>& whole,
                 python::PythonVersion version) {
  for (std::size_t size = text.size(); size > 0; size /= 2) {
    try {
      const auto part = python::parse_metadata(text.substr(0, size), false, version);
      require(!part.has_value() || part == whole);
    } catch (const std::invalid_argument&) {
      require(!whole.has_value());
    }
  }
}

void check_text(const python::Distribution& found) {
  const std::vector<python::Distribution> distributions{found, {found.version, found.name}};
  const std::string text = python::package_text(distributions, {}, {});
  require(util::is_utf8(text));
  const std::string shortened = python::drop_patch_version(text);
  require(shortened.size() <= text.size() && util::is_utf8(shortened));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  for (const python::PythonVersion version :
       {python::PythonVersion{3, 8}, python::PythonVersion{3, 13}}) {
    const auto whole = parse(text, version);
    check_parts(text, whole, version);
    if (whole.has_value()) {
      check_text(*whole);
    }
    static_cast<void>(python::drop_patch_version(text));
  }
  return 0;
}
