#include "sample_state.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/coordination/claim.hpp>
#include <testmon_precreate/coordination/directory.hpp>
#include <testmon_precreate/coordination/directory_search.hpp>
#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/util/files.hpp>

#include <doctest/doctest.h>

#include <fstream>

#include <sys/stat.h>

namespace {

namespace fs = std::filesystem;
namespace coordination = testmon_precreate::coordination;
namespace core = testmon_precreate::core;
namespace util = testmon_precreate::util;
using testmon_precreate::tests::sample_state;
using testmon_precreate::tests::TemporaryDirectory;
using testmon_precreate::tests::write_acknowledgment;

coordination::Acknowledgment acknowledgment(const std::string& id) {
  return {.worker_id = id,
          .pid = 1,
          .hostname = "h",
          .timestamp = 1,
          .waited_seconds = 0,
          .run_uid = "r"};
}

unsigned mode_of(const fs::path& path) {
  struct stat status {};

  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

TEST_SUITE("coordination/directory") {
  TEST_CASE("modes are private, parents are made, and git ignores all of it") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "a" / "b" / ".testmon_xdist");
    directory.create();
    directory.create();
    directory.write_state(sample_state());
    directory.write_test_files({"tests/test_a.py", "b"});
    write_acknowledgment(directory, acknowledgment("gw0"));
    CHECK(mode_of(directory.path()) == 0700U);
    for (const auto& entry : fs::directory_iterator(directory.path())) {
      CHECK(mode_of(entry.path()) == 0600U);
    }
    CHECK(util::read_file(directory.path() / ".gitignore", 10) == "*\n");
    CHECK(util::read_file(directory.test_files_path(), 100) == "tests/test_a.py\nb\n");
  }

  TEST_CASE("a directory of the user's gets no .gitignore") {
    const TemporaryDirectory root;
    root.write("notes.txt");
    coordination::CoordinationDirectory(root.path()).create();
    CHECK_FALSE(fs::exists(root.path() / ".gitignore"));
  }

  TEST_CASE("the .gitignore stays while places of single runs do") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "shared");
    for (const char* name : {"run-aB3dEf", "done-aB3dEf"}) {
      directory.create();
      fs::create_directory(directory.path() / name);
      CHECK_FALSE(directory.remove());
      CHECK(util::read_file(directory.path() / ".gitignore", 10) == "*\n");
      fs::remove(directory.path() / name);
      CHECK(directory.remove());
      CHECK_FALSE(fs::exists(directory.path()));
    }
  }

  TEST_CASE("what is missing is nothing, not an error") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory absent(root.path() / "absent");
    CHECK_FALSE(absent.read_state().has_value());
    CHECK(absent.read_acknowledgments().empty());
    CHECK_FALSE(absent.open().has_value());
    CHECK_THROWS_AS(absent.write_state(sample_state()), core::CoordinationFileError);
  }

  TEST_CASE("acknowledgments that cannot be read count as absent") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    write_acknowledgment(directory, acknowledgment("gw1"));
    write_acknowledgment(directory, acknowledgment("gw0"));
    root.write("d/worker_gw2_ready", "{");
    root.write("d/worker_gw3_ready", coordination::to_json(acknowledgment("gw9")));
    fs::create_directory(root.path() / "d" / "worker_gw4_ready");
    fs::create_symlink("worker_gw0_ready", root.path() / "d" / "worker_gw5_ready");
    const auto found = directory.read_acknowledgments();
    REQUIRE(found.size() == 2);
    CHECK(found[0].worker_id == "gw0");
    CHECK(found[1].worker_id == "gw1");
  }

  TEST_CASE("worker ids cannot leave the directory") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    for (const char* id : {"../x", "", "a/b", ".x"}) {
      CHECK_THROWS_AS(write_acknowledgment(directory, acknowledgment(id)), core::UsageError);
    }
  }

  TEST_CASE("what could not be read later is not written") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    coordination::CoordinationState state = sample_state();
    state.system_packages = std::string(coordination::largest_state, 'x');
    CHECK_THROWS_AS(directory.write_state(state), core::InvalidCoordinationState);
    CHECK_FALSE(directory.read_state().has_value());
    CHECK_THROWS_AS(directory.write_test_files({"a\nb"}), core::InvalidCoordinationState);
  }

  TEST_CASE("where a command looks") {
    const TemporaryDirectory root;
    fs::create_directories(root.path() / "a" / "b");
    const fs::path name = ".testmon_xdist";
    testmon_precreate::core::Settings settings;
    const auto resolve = [&](const std::optional<fs::path>& rootdir) {
      return coordination::find_coordination_directory(root.path() / "a" / "b", rootdir, settings);
    };
    CHECK(resolve(std::nullopt) == root.path() / "a" / "b" / name);
    fs::create_directory(root.path() / name);
    CHECK(resolve(std::nullopt) == root.path() / name);
    CHECK(resolve("..") == root.path() / "a" / name);
    CHECK(resolve(root.path()) == root.path() / name);
    CHECK(coordination::rootdir_of(coordination::CoordinationDirectory(root.path() / name),
                                   settings) == root.path());
    settings.datafile = "data";
    CHECK(resolve(std::nullopt) == root.path() / "a" / "b" / ".testmon_xdist-data");
    settings.directory = "x/y";
    CHECK(coordination::rootdir_of(coordination::CoordinationDirectory(root.path() / "x" / "y"),
                                   settings) == root.path());
    settings.directory = "/x/y";
    CHECK(resolve(std::nullopt) == "/x/y");
    CHECK_FALSE(coordination::rootdir_of(coordination::CoordinationDirectory("/x/y"), settings)
                    .has_value());
  }

  TEST_CASE("a state that was replaced is not acknowledged") {
    const TemporaryDirectory root;
    const coordination::CoordinationDirectory directory(root.path() / "d");
    directory.create();
    directory.write_state(sample_state());
    testmon_precreate::util::FileStamp first;
    REQUIRE(directory.read_state(&first).has_value());
    CHECK(coordination::acknowledge(directory, acknowledgment("gw0"), first));
    fs::remove(directory.path() / "worker_gw0_ready");
    directory.write_state(sample_state());
    CHECK_FALSE(coordination::acknowledge(directory, acknowledgment("gw0"), first));
    CHECK(directory.read_acknowledgments().empty());
    fs::remove_all(directory.path());
    CHECK_FALSE(coordination::acknowledge(directory, acknowledgment("gw0"), first));
  }
}

} // namespace
