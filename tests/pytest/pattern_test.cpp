#include <testmon_precreate/pytest/pattern.hpp>

#include <doctest/doctest.h>

namespace {

namespace pytest = testmon_precreate::pytest;

bool matches(const char* pattern, const char* name) {
  return pytest::Pattern(pattern).matches(name);
}

TEST_SUITE("pytest/pattern") {
  TEST_CASE("one star in ASCII") {
    CHECK(matches("test_*.py", "test_.py"));
    CHECK(matches("test_*.py", "test_a/b.py"));
    CHECK_FALSE(matches("test_*.py", "test.py"));
    CHECK_FALSE(matches("ab*bc", "abc"));
    CHECK(matches("venv", "venv"));
    CHECK_FALSE(matches("venv", "venv2"));
    CHECK(matches("*", ""));
    CHECK(matches(".*", ".git"));
    CHECK(matches("{arch}", "{arch}"));
  }

  TEST_CASE("stars give back what they took too much") {
    CHECK(matches("*a*b*", "xxaybzz"));
    CHECK(matches("a**b", "ab"));
    CHECK(matches("*.py*", "x.py.py"));
    CHECK_FALSE(matches("*a*b*c", "aabbccd"));
  }

  TEST_CASE("a question mark is one character, also one of many bytes or of a broken one") {
    CHECK(matches("t?st.py", "t\u00e9st.py"));
    CHECK(matches("t?", "t\xff"));
    CHECK_FALSE(matches("t?", "t"));
    CHECK_FALSE(matches("t?", "t\xff\xff"));
  }

  TEST_CASE("sets") {
    CHECK(matches("test_[0-4].py", "test_3.py"));
    CHECK_FALSE(matches("test_[0-4].py", "test_5.py"));
    CHECK(matches("[!a-c]x", "dx"));
    CHECK_FALSE(matches("[!a-c]x", "bx"));
    CHECK(matches("[]a]", "]"));
    CHECK(matches("[a-]", "-"));
    CHECK(matches("[a", "[a"));
    CHECK(matches("[^a]", "^"));
    CHECK(matches("[[:alpha:]", ":"));
    CHECK_FALSE(matches("[[:alpha:]]", "x"));
    CHECK(matches("[\\]x", "\\x"));
    CHECK(matches("\\*", "\\x"));
    CHECK_FALSE(matches("[b-a]", "b"));
    CHECK(matches("[!b-a]", "b"));
    CHECK(matches("[\u00e0-\u00ef]", "\u00e9"));
    CHECK(matches("[b-ax]", "x"));
    CHECK(matches("[b-a!x]", "y")); // Python drops the empty range first
    CHECK_FALSE(matches("[b-a!x]", "x"));
    CHECK_FALSE(matches("[b-a!-x]", "-"));
  }

  TEST_CASE("a pattern with a separator is held against the whole path") {
    const pytest::PathPatterns patterns({"tests/unit", "/abs/*/x.py", "conf*"});
    CHECK(patterns.match("/project/tests", "unit"));
    CHECK_FALSE(patterns.match("/project", "unit"));
    CHECK(patterns.match("/abs/deep/er", "x.py"));
    CHECK_FALSE(patterns.match("/project/abs/deep", "x.py"));
    CHECK(patterns.match("/anywhere", "conftest.py"));
    CHECK(pytest::PathPatterns({"*/x"}).match("/a", "x"));
    CHECK_FALSE(pytest::PathPatterns().match("/", "x"));
  }
}

} // namespace
