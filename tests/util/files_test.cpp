#include "temporary_directory.hpp"

#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>

#include <system_error>

namespace {

namespace fs = std::filesystem;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::TemporaryDirectory;

std::size_t entries_of(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

TEST_SUITE("util/files") {
  TEST_CASE("an atomic write replaces the file whole and leaves nothing else") {
    const TemporaryDirectory directory;
    const fs::path file = directory.write("state.json", "a much longer old content");
    util::write_file_atomically(file, "new", 0640);
    CHECK(util::read_file(file, 100) == "new");
    CHECK((fs::status(file).permissions() & fs::perms::mask) == fs::perms(0640));
    CHECK(entries_of(directory.path()) == 1);
  }

  TEST_CASE("a failed atomic write leaves the old target and no temporary file") {
    const TemporaryDirectory directory;
    fs::create_directories(directory.path() / "state.json" / "occupied");
    CHECK_THROWS_AS(util::write_file_atomically(directory.path() / "state.json", "new"),
                    fs::filesystem_error);
    CHECK(entries_of(directory.path()) == 1);
  }

  TEST_CASE("an atomic creation never replaces anything") {
    const TemporaryDirectory directory;
    const fs::path file = directory.path() / "new";
    CHECK(util::create_file_atomically(file, "first", 0640));
    CHECK_FALSE(util::create_file_atomically(file, "second"));
    CHECK(util::read_file(file, 100) == "first");
    fs::create_symlink("nowhere", directory.path() / "dangling");
    CHECK_FALSE(util::create_file_atomically(directory.path() / "dangling", "third"));
    CHECK(entries_of(directory.path()) == 2);
    CHECK_THROWS_AS(static_cast<void>(util::create_file_atomically(
                        directory.path() / "absent" / "file", "content")),
                    fs::filesystem_error);
  }

  TEST_CASE("a file of any size is copied over an older one") {
    const TemporaryDirectory directory;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3} << 20U}) {
      std::string content(size, 'x');
      for (std::size_t i = 0; i < size; i += 1000) {
        content[i] = static_cast<char>(i / 1000);
      }
      const fs::path from = directory.write("from", content);
      util::copy_file(from, directory.path() / "to");
      CHECK((util::read_file(directory.path() / "to", size) == content));
    }
    const fs::path shared = directory.write("shared", "for all to read");
    fs::permissions(shared, fs::perms(0444));
    util::copy_file(shared, directory.path() / "copy");
    CHECK(fs::status(directory.path() / "copy").permissions() == fs::perms(0644));
    CHECK_THROWS_AS(util::copy_file(directory.path() / "absent", directory.path() / "to"),
                    fs::filesystem_error);
  }

  TEST_CASE("renaming to a new name replaces nothing") {
    const TemporaryDirectory directory;
    const fs::path from = directory.write("from", "new");
    const fs::path taken = directory.write("taken", "old");
    CHECK_FALSE(util::rename_to_new(from, taken));
    CHECK(util::read_file(taken, 10) == "old");
    CHECK(util::rename_to_new(from, directory.path() / "free"));
    CHECK(entries_of(directory.path()) == 2);
    CHECK_THROWS_AS(static_cast<void>(util::rename_to_new(from, directory.path() / "to")),
                    fs::filesystem_error);
  }

  TEST_CASE("reading stops at the limit") {
    const TemporaryDirectory directory;
    const fs::path file = directory.write("big", std::string(1000, 'x'));
    CHECK(util::read_file(file, 1000).size() == 1000);
    try {
      static_cast<void>(util::read_file(file, 999));
      FAIL("no error");
    } catch (const fs::filesystem_error& error) {
      CHECK(error.code() == std::errc::file_too_large);
      CHECK(error.path1() == file);
    }
  }

  TEST_CASE("a file that is not there is named in the error") {
    const TemporaryDirectory directory;
    try {
      static_cast<void>(util::read_file(directory.path() / "absent", 10));
      FAIL("no error");
    } catch (const fs::filesystem_error& error) {
      CHECK(error.code() == std::errc::no_such_file_or_directory);
      CHECK(error.path1() == directory.path() / "absent");
    }
  }
}

} // namespace
