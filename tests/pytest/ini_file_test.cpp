#include <testmon_precreate/pytest/ini_file.hpp>

#include <doctest/doctest.h>

namespace {

namespace pytest = testmon_precreate::pytest;

void check_error(std::string_view text, std::size_t line, const std::string& reason) {
  try {
    static_cast<void>(pytest::parse_ini(text));
    FAIL("no error for " << text);
  } catch (const pytest::IniSyntaxError& error) {
    CHECK(error.line() == line);
    CHECK(std::string(error.what()) == reason);
  }
}

TEST_SUITE("pytest/ini_file") {
  TEST_CASE("values that span lines go on after blank lines and comments") {
    const auto sections =
        pytest::parse_ini("# first\n[pytest]\naddopts =\n    -q\n\n  ; no\n\t--tb=short\n"
                          "markers: one: the first\n         two # kept\n");
    CHECK(sections.at("pytest").at("addopts") == "-q\n--tb=short");
    CHECK(sections.at("pytest").at("markers") == "one: the first\ntwo # kept");
  }

  TEST_CASE("the first of = and : ends a name") {
    const auto options = pytest::parse_ini("[a]\nx=1:2\ny:3=4\nz = \n =v\n").at("a");
    CHECK(options.at("x") == "1:2");
    CHECK(options.at("y") == "3=4");
    CHECK(options.at("z") == "=v");
  }

  TEST_CASE("section headers may bear a comment; an open one is a continuation") {
    const auto sections =
        pytest::parse_ini("\xef\xbb\xbf[a b] # comment\r\nx=1\r[c];d\ny=2\n[open\n");
    CHECK(sections.at("a b").at("x") == "1");
    CHECK(sections.at("c").at("y") == "2\n[open");
  }

  TEST_CASE("line ends and white space are Unicode's") {
    const auto options = pytest::parse_ini("[a]\nx = \u00a01\u2003\n\u00a0two\x1cy=2\n").at("a");
    CHECK(options.at("x") == "1\ntwo");
    CHECK(options.at("y") == "2");
  }

  TEST_CASE("what cannot be parsed is named with its line") {
    check_error("a = 1\n", 1, "an option before the first section");
    check_error("\n[]\n", 2, "a section without a name");
    check_error("[a]\n[b]\n[a]\n", 3, "a second section of this name");
    check_error("[a]\nx=1\nx=2\n", 3, "a second option of this name");
    check_error("[a]\n  x\n", 2, "an indented line that continues no option");
    check_error(" x\n", 1, "an indented line that continues no option");
    check_error("[a]\nit's\u2028 x\n", 2, "neither a section nor an option");
    check_error("a = 1\n[b\n]\n", 1, "an option before the first section"); // the first of two
    check_error("[a]\nx = \xff\n", 2, "not UTF-8");
  }
}

} // namespace
