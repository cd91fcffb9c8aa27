#include "temporary_directory.hpp"

#include <testmon_precreate/util/directory.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

namespace {

namespace fs = std::filesystem;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::TemporaryDirectory;

std::map<std::string, util::EntryType> list(util::DirectoryReader& reader, const fs::path& path) {
  std::map<std::string, util::EntryType> found;
  for (const auto& entry : reader.read(util::open_file(path, O_RDONLY | O_DIRECTORY), path)) {
    found.emplace(entry.name, entry.type);
  }
  return found;
}

TEST_SUITE("util/directory") {
  TEST_CASE("every entry is listed with its type") {
    const TemporaryDirectory directory;
    directory.write("file");
    directory.write("sub/inner");
    fs::create_symlink("file", directory.path() / "link");
    REQUIRE(::mkfifo((directory.path() / "pipe").c_str(), 0600) == 0);
    util::DirectoryReader reader;
    CHECK(list(reader, directory.path()) ==
          std::map<std::string, util::EntryType>{{"file", util::EntryType::file},
                                                 {"sub", util::EntryType::directory},
                                                 {"link", util::EntryType::link},
                                                 {"pipe", util::EntryType::other}});
    CHECK(list(reader, directory.path() / "sub").size() == 1);
  }

  TEST_CASE("a directory that is larger than the buffer is listed whole") {
    const TemporaryDirectory directory;
    constexpr int count = 1500;
    for (int i = 0; i < count; ++i) {
      directory.write(fmt::format("{:0>200}", i));
    }
    util::DirectoryReader reader;
    CHECK(list(reader, directory.path()).size() == count);
  }

  TEST_CASE("what is no directory is an error that names the path") {
    const TemporaryDirectory directory;
    const fs::path file = directory.write("file");
    util::DirectoryReader reader;
    try {
      static_cast<void>(reader.read(util::open_file(file, O_RDONLY), file));
      FAIL("no error");
    } catch (const fs::filesystem_error& error) {
      CHECK(error.code() == std::errc::not_a_directory);
      CHECK(error.path1() == file);
    }
  }
}

} // namespace
