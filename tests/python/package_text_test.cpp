#include <testmon_precreate/python/character_classes.hpp>
#include <testmon_precreate/python/package_text.hpp>
#include <testmon_precreate/python/utf8.hpp>

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace {

namespace python = testmon_precreate::python;
using python::Distribution;
using python::PythonVersion;

constexpr PythonVersion newest{3, 13};

std::string drop(std::string_view text, PythonVersion version = newest) {
  return python::drop_patch_version(text, version);
}

TEST_SUITE("python/package_text") {
  TEST_CASE("packages are a sorted set; what is missing shows as None") {
    const std::vector<Distribution> found{
        {"b", "1"}, {"a", std::nullopt}, {"b", "1"},          {},
        {"é", "1"}, {"Z", "1"},          {"\U0001F40D", "1"}, {"\uFFFD", "1"}};
    CHECK(python::package_text(found, {}, {}) ==
          "None None, Z 1, a None, b 1, é 1, \uFFFD 1, \U0001F40D 1");
  }

  TEST_CASE("what is left out depends on the release and on the list of ignored names") {
    const std::vector<Distribution> found{{"pytest-testmon", "2.1.3"},
                                          {"UNKNOWN", "1"},
                                          {"zero", "0.0.0"},
                                          {"kept", "1"},
                                          {std::nullopt, "2"}};
    const std::vector<std::string> ignore{"kept", "None"};
    CHECK(python::package_text(found, {}, {}) ==
          "None 2, UNKNOWN 1, kept 1, pytest-testmon 2.1.3, zero 0.0.0");
    CHECK(python::package_text(found, ignore, {}) ==
          "None 2, UNKNOWN 1, pytest-testmon 2.1.3, zero 0.0.0");
    const python::PackageRules all{.leaves_itself_out = true, .leaves_unknown_out = true};
    CHECK(python::package_text(found, {}, all) == "None 2, kept 1");
    CHECK(python::package_text(found, ignore, all) == "None 2, pytest-testmon 2.1.3");
  }

  TEST_CASE("the third component goes, and going twice is not the same as once") {
    CHECK(drop("foo 1.2.3, bar 4.5.6rc1, baz 7.8") == "foo 1.2, bar 4.5, baz 7.8");
    CHECK(drop("foo 1.2.3.4") == "foo 1.2.4");
    CHECK(drop(drop("foo 1.2.3.4")) == "foo 1.2");
    CHECK(drop("").empty());
  }

  TEST_CASE("a match needs a word boundary, and begins behind the one before") {
    CHECK(drop("-- 1.2.3") == "-- 1.2.3");
    CHECK(drop("-a 1.2.3") == "-a 1.2");
    CHECK(drop("a 1.2.3-4 5.6.7") == "a 1.2-4 5.6");
    CHECK(drop("a 1.2.3 4.5.6") == "a 1.2 4.5.6");
    CHECK(drop("a  1.2.3") == "a  1.2.3");
    CHECK(drop("a 1.2.+3") == "a 1.2.+3");
    CHECK(drop("a 1.x.3") == "a 1.x.3");
  }

  TEST_CASE("the classes are Unicode's, of the version that the Python has") {
    CHECK(drop("é\u00a01.٢.日") == "é\u00a01.٢");
    CHECK(drop("a 1.2.\U00011F50", {3, 11}) == "a 1.2.\U00011F50"); // a digit since Unicode 15
    CHECK(drop("a 1.2.\U00011F50", {3, 12}) == "a 1.2");
    CHECK(drop("a ².2.3") == "a ².2.3"); // \w, but no decimal digit
    CHECK_FALSE(python::is_word_character(0x10FFFF, newest));
    CHECK(python::is_white_space(0x3000));
    CHECK_FALSE(python::is_white_space(0x200B));
  }

  TEST_CASE("UTF-8 is decoded as strictly as Python does") {
    for (const char* const text : {"", "a", "é", "\uFFFF", "\U0010FFFF"}) {
      CHECK(python::is_utf8(text));
    }
    for (const char* const text : {"\x80", "\xC0\x80", "\xC2", "\xE0\x80\x80", "\xED\xA0\x80",
                                   "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "a\xC3("}) {
      CHECK_FALSE(python::is_utf8(text));
    }
    CHECK(python::first_code_point("\U0001F40D").value == 0x1F40D);
  }
}

} // namespace
