#include <testmon_precreate/selection/content_hashes.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

using testmon_precreate::selection::ContentHashes;
using testmon_precreate::selection::hash_content;

} // namespace

TEST_CASE("an ASCII text with line feeds has one hash") {
  const ContentHashes hashes = hash_content("x = 1\n");
  CHECK(hashes.git == "7d4290a117a4ddcc11daae7ea675841033830c8f"); // by git hash-object
  CHECK(hashes.testmon == hashes.git);
  CHECK(hashes.git_text.empty());
  CHECK(hashes.without_git());
  CHECK(hashes.one_reading);
  CHECK(hashes.match(hashes.git));
  CHECK_FALSE(hashes.match(""));
  CHECK(hash_content("").git == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

TEST_CASE("testmon counts characters where git counts bytes") {
  const ContentHashes hashes = hash_content("x = 'é'\n");
  CHECK(hashes.git == "17ce52d8cb22ff0b219562d1e0b01218b999b71f");
  CHECK(hashes.testmon == "f518d122a63767427c3afd55950a3894c301c3ae");
  CHECK_FALSE(hashes.without_git());
  CHECK(hashes.match(hashes.git));
  CHECK(hashes.match(hashes.testmon));
}

TEST_CASE("line ends and form feeds: testmon hashes another text than git") {
  const ContentHashes lines = hash_content("x = 1\r\ny = 2\r\n");
  CHECK(lines.git_text == hash_content("x = 1\ny = 2\n").git);
  CHECK(lines.testmon == lines.git_text);
  CHECK(lines.git != lines.testmon);
  const ContentHashes feeds = hash_content("x = 1\n\fy = 2\n");
  CHECK(feeds.testmon == hash_content("x = 1\n y = 2\n").git);
  CHECK(feeds.git_text.empty());
  CHECK_FALSE(feeds.without_git());
}

TEST_CASE("encodings: what testmon computes is known for UTF-8") {
  CHECK(hash_content("\xEF\xBB\xBFx = 1\n").testmon != hash_content("\xEF\xBB\xBFx = 1\n").git);
  CHECK_FALSE(hash_content("\xEF\xBB\xBFx = 1\n").testmon.empty());
  for (const std::string other : {"# coding: gbk\nx = '\xC4'\n", "x = '\xE9'\n", "# a\xE9\n",
                                  "# coding: latin-1\nx = '\xE9'\n"}) {
    CAPTURE(other);
    const ContentHashes hashes = hash_content(other);
    CHECK(hashes.testmon.empty());
    CHECK_FALSE(hashes.match(""));
    CHECK(hashes.match(hashes.git)); // testmon's for one byte a character
    CHECK_FALSE(hashes.without_git());
  }
}

TEST_CASE("textwrap.dedent empties lines of white space, and takes a margin away") {
  CHECK_FALSE(hash_content("x = 1\n  \ny = 2\n").one_reading);
  CHECK_FALSE(hash_content("x = 1\n\t").one_reading);
  CHECK_FALSE(hash_content("  x\n  y\n").one_reading);
  CHECK_FALSE(hash_content("x\n\xC2\xA0\n").one_reading); // a no-break space: str.isspace()
  CHECK(hash_content("def f():\n    x\n\n    y\n").one_reading);
  CHECK_FALSE(hash_content("\n\n").one_reading);
  CHECK_FALSE(hash_content("").one_reading);
  CHECK_FALSE(hash_content("# a comment\n\n  # another\n").one_reading);
  CHECK(hash_content("# a comment\nx = 1\n").one_reading);
}
