#include <testmon_precreate/util/process.hpp>
#include <testmon_precreate/util/text.hpp>

#include <doctest/doctest.h>

namespace {

namespace util = testmon_precreate::util;

TEST_SUITE("util/text") {
  TEST_CASE("strip takes white space from both ends only") {
    CHECK(util::strip(" \t a b \r\n") == "a b");
    CHECK(util::strip(" \n ").empty());
  }

  TEST_CASE("split keeps empty parts") {
    CHECK(util::split("a,,b,", ',') == std::vector<std::string_view>{"a", "", "b", ""});
    CHECK(util::split("", ',') == std::vector<std::string_view>{""});
  }

  TEST_CASE("to_lower leaves other bytes alone") { CHECK(util::to_lower("ÄBc-1") == "Äbc-1"); }

  TEST_CASE("crc32 is that of zlib") {
    CHECK(util::crc32("123456789") == 0xCBF43926); // the check value of its definition
    CHECK(util::crc32("") == 0);
  }

  TEST_CASE("a quoted word comes back from a real shell byte for byte") {
    std::string nasty = "a 'b' \"c\" $HOME `id` \\ \n\t*?[;&|<>(){}#~!";
    for (int byte = 1; byte < 256; ++byte) {
      nasty += static_cast<char>(byte);
    }
    nasty += '.'; // $(…) would strip a final newline
    const util::ProcessOutput result =
        util::run_process({.arguments = {"sh", "-c", "printf %s " + util::shell_quote(nasty)},
                           .working_directory = {},
                           .environment = util::ProcessEnvironment::current(),
                           .standard_input = {}});
    CHECK(result.standard_output == nasty);
  }
}

} // namespace
