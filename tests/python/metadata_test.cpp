#include <testmon_precreate/python/metadata.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace python = testmon_precreate::python;
using python::Distribution;
using python::PythonVersion;

constexpr PythonVersion oldest{3, 8};
constexpr PythonVersion newest{3, 13};

Distribution whole(std::string_view text, PythonVersion version = newest) {
  return python::parse_metadata(text, true, version).value();
}

TEST_SUITE("python/metadata") {
  TEST_CASE("the first of equal headers counts, in any case, and nothing of the body") {
    CHECK(whole("NAME: a\nname: b\nVersion: 1\nVersion: 2\n\nName: c\n") == Distribution{"a", "1"});
    CHECK(whole("Metadata-Version: 2.1\n\nName: body\n") == Distribution{});
    CHECK(whole("Name: a\nno header\nVersion: 1\n") == Distribution{"a", std::nullopt});
  }

  TEST_CASE("blanks are taken from the front of a value only") {
    CHECK(whole("Name: \t a \nVersion:1\t\n") == Distribution{"a ", "1\t"});
    CHECK(whole("Name:\nVersion:  \n") == Distribution{"", ""});
  }

  TEST_CASE("a folded value is dedented since Python 3.10") {
    constexpr std::string_view text = "Name: a\n b\nVersion: 1\n";
    CHECK(whole(text, oldest).name == "a\n b");
    CHECK(whole(text, newest).name == "       a\nb");
  }

  TEST_CASE("every kind of line end counts") {
    CHECK(whole("Name: a\r\nVersion: 1\r\rName: b") == Distribution{"a", "1"});
  }

  TEST_CASE("Unix-from lines, headers without a name and their folds are skipped") {
    CHECK(whole("From x\n y\nName: a\nFrom z\n f\n: n\n g\nVersion: 1\n") ==
          Distribution{"a", "1"});
  }

  TEST_CASE("what is not UTF-8 is an error if it had to be read") {
    CHECK_THROWS_AS(whole("Name: \xff\nVersion: 1\n\n"), std::invalid_argument);
    CHECK_THROWS_AS(whole("Name: \xed\xa0\x80\nVersion: 1\n\n"), std::invalid_argument);
    CHECK(whole("Name: a\nVersion: 1\nSummary: x\nAuthor: \xff\n") == Distribution{"a", "1"});
  }

  TEST_CASE("a part of a text gives nothing or the same as the whole") {
    constexpr std::string_view text =
        "Name: a\r\n fold\r\nX: y\r\nVersion: 1.2.3\r\n more\r\nZ: 1\r\nMore: 1\r\n";
    const Distribution all = whole(text);
    std::size_t decided = 0;
    for (std::size_t size = 0; size < text.size(); ++size) {
      const auto part = python::parse_metadata(text.substr(0, size), false, newest);
      CHECK_MESSAGE((!part.has_value() || *part == all), size);
      decided += part.has_value() ? 1U : 0U;
    }
    CHECK(decided > 0);
  }
}

} // namespace
