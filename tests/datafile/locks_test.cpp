#include "sample_file.hpp"
#include "temporary_directory.hpp"

#include <testmon_precreate/datafile/file_system.hpp>
#include <testmon_precreate/datafile/locks.hpp>

#include <doctest/doctest.h>

namespace {

namespace datafile = testmon_precreate::datafile;

TEST_SUITE("datafile/locks") {
  TEST_CASE("the kernel's list of locks is read") {
    const auto locks = datafile::parse_locks(
        "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 1073741824 1073742335\n"
        "1: -> POSIX  ADVISORY  WRITE 99 fd:00:2531452 1073741824 1073742335\n"
        "2: FLOCK  ADVISORY  READ 12 00:1b:7 0 EOF\n"
        "3: OFDLCK ADVISORY  READ -1 00:06:11 0 0\n"
        "4: POSIX  ADVISORY  READ x 00:06:11 0 0\n"
        "nonsense\n\n");
    REQUIRE(locks.size() == 3);
    CHECK(locks[0].pid == 3568);
    CHECK(locks[0].exclusive);
    CHECK(locks[0].inode == 2531452);
    CHECK(locks[0].first_byte == 1073741824);
    CHECK(locks[1].inode == 7);
    CHECK_FALSE(locks[1].exclusive);
  }

  TEST_CASE("a file that nobody locks has no holder, and one's own locks do not count") {
    const testmon_precreate::tests::TemporaryDirectory directory;
    const auto request = testmon_precreate::tests::request_for(directory.path() / "data", "a 1.0");
    static_cast<void>(datafile::prepare_datafile(request));
    CHECK(datafile::describe_lock_holders(request.file).empty());
    SQLite::Database own(request.file, SQLite::OPEN_READWRITE);
    const SQLite::Transaction lock(own, SQLite::TransactionBehavior::IMMEDIATE);
    CHECK(datafile::describe_lock_holders(request.file).empty());
    CHECK(datafile::describe_lock_holders("/nonexistent").empty());
  }
}

TEST_SUITE("datafile/file_system") {
  TEST_CASE("network file systems are known by their number") {
    CHECK(datafile::network_file_system(0x6969) == "NFS");
    CHECK(datafile::network_file_system(0xff534d42) == "CIFS");
    CHECK(datafile::network_file_system(0x01021997) == "9P");
    CHECK(datafile::network_file_system(0xef53).empty()); // ext4
    CHECK(datafile::network_file_system_of("/proc").empty());
    CHECK(datafile::network_file_system_of("/nonexistent").empty());
  }
}

} // namespace
