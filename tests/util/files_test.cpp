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
  TEST_CASE("an atomic write replaces the file whole and leaves nothing else behind") {
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
