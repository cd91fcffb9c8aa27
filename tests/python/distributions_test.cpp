#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/distributions.hpp>
#include <testmon_precreate/python/environment_key.hpp>
#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
namespace python = testmon_precreate::python;
namespace util = testmon_precreate::util;
using python::Distribution;
using python::PythonVersion;
using testmon_precreate::core::EnvironmentProbeError;
using testmon_precreate::tests::TemporaryDirectory;

std::vector<Distribution> find(const std::vector<std::string>& sys_path,
                               const fs::path& working_directory = {},
                               PythonVersion version = {3, 13}) {
  auto found = python::find_distributions(sys_path, working_directory, version);
  std::sort(found.begin(), found.end(), [](const Distribution& left, const Distribution& right) {
    return left.name < right.name;
  });
  return found;
}

// Bytes that this process has read by system calls (proc(5)).
std::size_t bytes_read() {
  const std::string io = util::read_file("/proc/self/io", 4096);
  return std::stoul(io.substr(io.find("rchar: ") + 7));
}

TEST_SUITE("python/distributions") {
  TEST_CASE("directories and files of both kinds are found, and nothing else") {
    const TemporaryDirectory site;
    site.write("a-1.dist-info/METADATA", "Name: a\nVersion: 1\n");
    site.write("B.EGG-INFO/PKG-INFO", "Name: b\nVersion: 2\n");
    site.write("c.egg-info", "Name: c\nVersion: 3\n");
    site.write("d.dist-info/METADATA", "");
    site.write("d.dist-info/PKG-INFO", "Name: d\nVersion: 4\n");
    site.write("egg-info/PKG-INFO", "Name: no\n");
    site.write("x.dist-info.old/METADATA", "Name: no\n");
    fs::create_directories(site.path() / "nothing.dist-info");
    CHECK(find({site.path()}) ==
          std::vector<Distribution>{{}, {"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  }

  TEST_CASE("relative entries lie in the working directory; '' does since Python 3.9") {
    const TemporaryDirectory work;
    work.write("a.dist-info/METADATA", "Name: a\nVersion: 1\n");
    work.write("sub/b.dist-info/METADATA", "Name: b\nVersion: 1\n");
    CHECK(find({"", "sub"}, work.path()).size() == 2);
    CHECK(find({"", "sub"}, work.path(), {3, 8}).size() == 1);
  }

  TEST_CASE("EGG-INFO counts in an egg, and in a nameless entry before Python 3.10") {
    const TemporaryDirectory site;
    site.write("x.egg/EGG-INFO/PKG-INFO", "Name: x\nVersion: 1\n");
    site.write("y/EGG-INFO/PKG-INFO", "Name: y\nVersion: 1\n");
    CHECK(find({site.path() / "x.egg", site.path() / "y"}).size() == 1);
    CHECK(find({site.path().string() + "/y/"}).empty());
    CHECK(find({site.path().string() + "/y/"}, {}, {3, 9}).size() == 1);
  }

  TEST_CASE("what is absent or a file is passed over; an entry twice is read once") {
    const TemporaryDirectory site;
    site.write("file", "PK no zip file");
    site.write("a.dist-info/METADATA", "Name: a\nVersion: 1\n");
    CHECK(find({site.path() / "absent", site.path() / "file", site.path(), site.path()}).size() ==
          1);
  }

  TEST_CASE("metadata that Python cannot read is an error that names the file") {
    const TemporaryDirectory site;
    site.write("a.dist-info/METADATA", "Name: \xff\n");
    CHECK_THROWS_WITH_AS(static_cast<void>(find({site.path()})),
                         doctest::Contains("a.dist-info/METADATA"), EnvironmentProbeError);
    fs::remove_all(site.path() / "a.dist-info");
    fs::create_directory_symlink("b.dist-info", site.path() / "b.dist-info");
    CHECK_THROWS_AS(static_cast<void>(find({site.path()})), EnvironmentProbeError);
  }

  TEST_CASE("no file is read far beyond its headers") {
    const TemporaryDirectory site;
    constexpr std::size_t count = 40;
    const std::string body(1024 * 1024, 'x');
    for (std::size_t i = 0; i < count; ++i) {
      site.write(fmt::format("early{}.dist-info/METADATA", i), "Name: a\nVersion: 1\n\n" + body);
      // Nothing but the end of the headers tells that there is no version.
      site.write(fmt::format("late{}.dist-info/METADATA", i),
                 "Name: a\n" + std::string(5000, 'y') + ": z\n\n" + body);
    }
    const std::size_t before = bytes_read();
    CHECK(find({site.path()}).size() == 2 * count);
    CHECK(bytes_read() - before < count * (1024 + 5000 + 1024) + 4096);
  }

  TEST_CASE("the key holds the text before and after the patch component is dropped") {
    const TemporaryDirectory site;
    site.write("a.dist-info/METADATA", "Name: a\nVersion: 1.2.3.4\n");
    const python::EnvironmentKey key =
        python::make_environment_key({.sys_path = {"."},
                                      .python_version = "3.11.7",
                                      .testmon_version = "2.2.0",
                                      .environment_name = "ci",
                                      .ignore_dependencies = {"b"},
                                      .working_directory = site.path(),
                                      .other_distributions = {{"b", "1.2.3"}, {"hook", "1.2.3"}}});
    CHECK(key.environment_name == "ci");
    CHECK(key.python_version == "3.11.7");
    CHECK(key.system_packages_full == "a 1.2.3.4, hook 1.2.3");
    CHECK(key.system_packages == "a 1.2.4, hook 1.2");
  }
}

} // namespace
