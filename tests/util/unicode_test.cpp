#include <testmon_precreate/util/unicode.hpp>

#include <doctest/doctest.h>

namespace {

namespace util = testmon_precreate::util;

TEST_SUITE("util/unicode") {
  TEST_CASE("well-formed UTF-8 of every length is decoded and encoded again") {
    const std::string text = "a\u00e9\u20ac\U0001F600";
    CHECK(util::decode_utf8(text) == U"a\u00e9\u20ac\U0001F600");
    CHECK(util::decode_surrogateescape(text) == U"a\u00e9\u20ac\U0001F600");
    CHECK(util::first_code_point("\U0001F40D").value == 0x1F40D);
    CHECK(util::encode_surrogateescape(U"a\u00e9\u20ac\U0001F600") == text);
  }

  TEST_CASE("bytes that are not UTF-8 are kept one by one") {
    // A lone byte, an overlong form, a surrogate, a number beyond Unicode, a sequence cut short.
    for (const std::string text : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                                   "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "x\xe2\x82", "\x80y"}) {
      CHECK_FALSE(util::decode_utf8(text).has_value());
      CHECK_FALSE(util::is_utf8(text));
      const std::u32string characters = util::decode_surrogateescape(text);
      CHECK(characters.size() == text.size());
      CHECK(util::encode_surrogateescape(characters) == text);
    }
  }

  TEST_CASE("white space is Unicode's") {
    for (const char32_t c : {U' ', U'\t', U'\n', U'\x1c', U'\x85', U'\xa0', U'\u2003', U'\u3000'}) {
      CHECK(util::is_unicode_space(c));
    }
    for (const char32_t c : {U'a', U'\0', U'\u200b', U'\ufeff'}) {
      CHECK_FALSE(util::is_unicode_space(c));
    }
  }
}

} // namespace
