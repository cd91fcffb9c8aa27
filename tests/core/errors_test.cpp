#include <testmon_precreate/core/errors.hpp>

#include <doctest/doctest.h>

#include <string>

namespace {

namespace core = testmon_precreate::core;

TEST_SUITE("core/errors") {
  TEST_CASE("a message tells what, where and what to do") {
    const core::UsageError error(
        {.what = "no such thing", .where = "--thing", .hint = "Try another"});
    CHECK(std::string(error.what()) == "no such thing (--thing). Try another");
    CHECK(error.exit_code() == core::ExitCode::usage);
  }

  TEST_CASE("where and hint may be empty") {
    CHECK(std::string(core::DatabaseError({.what = "bad", .where = "", .hint = ""}).what()) ==
          "bad");
  }

  TEST_CASE("a file error names operation, reason and path") {
    const std::filesystem::filesystem_error cause(
        "rename", "/some/file", std::make_error_code(std::errc::permission_denied));
    const core::CoordinationFileError error(cause);
    CHECK(std::string(error.what()) == "could not rename: Permission denied (/some/file)");
    CHECK(error.exit_code() == core::ExitCode::coordination_file);
  }
}

} // namespace
