#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/shell_words.hpp>

#include <doctest/doctest.h>

namespace {

namespace core = testmon_precreate::core;
namespace pytest = testmon_precreate::pytest;
using Words = std::vector<std::string>;

TEST_SUITE("pytest/shell_words") {
  TEST_CASE("quotes and backslashes are those of a POSIX shell") {
    CHECK(pytest::split_shell_words("-q  --tb=short\n-k 'a b'", "x") ==
          Words{"-q", "--tb=short", "-k", "a b"});
    CHECK(pytest::split_shell_words(R"(a\ b "c\"d\n" 'e\f' "" g"h"'i')", "x") ==
          Words{"a b", R"(c"d\n)", R"(e\f)", "", "ghi"});
    CHECK(pytest::split_shell_words("  \t\r\n", "x").empty());
    CHECK(pytest::split_shell_words("a#b $c", "x") == Words{"a#b", "$c"});
  }

  TEST_CASE("an open end is an error that names the source") {
    for (const char* text : {"'a", "\"a", "a\\", "\"a\\"}) {
      try {
        static_cast<void>(pytest::split_shell_words(text, "PYTEST_ADDOPTS"));
        FAIL("no error for " << text);
      } catch (const core::UsageError& error) {
        CHECK(std::string(error.what()).find("PYTEST_ADDOPTS") != std::string::npos);
      }
    }
  }
}

} // namespace
