#include "temporary_directory.hpp"

#include <testmon_precreate/cli/pytest_command.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using testmon_precreate::cli::find_pytest_command;
using Words = std::vector<std::string>;

TEST_SUITE("cli/pytest_command") {
  TEST_CASE("the arguments after the word pytest are found") {
    CHECK(find_pytest_command(Words{"pytest", "-n", "4", "tests"})->arguments ==
          Words{"-n", "4", "tests"});
    CHECK(find_pytest_command(Words{"py.test"})->arguments.empty());
    CHECK(find_pytest_command(Words{"env", "A=1", "pytest", "-q"})->arguments == Words{"-q"});
    CHECK(find_pytest_command(Words{"uv", "run", "pytest", "-q"})->arguments == Words{"-q"});
  }

  TEST_CASE("python -m pytest names its interpreter") {
    const auto found = find_pytest_command(Words{"python3.11", "-X", "dev", "-m", "pytest", "-q"});
    REQUIRE(found);
    CHECK(found->arguments == Words{"-q"});
    CHECK(found->interpreter == "python3.11");
    CHECK(find_pytest_command(Words{"python", "-mpytest", "-q"})->arguments == Words{"-q"});
    CHECK_FALSE(find_pytest_command(Words{"coverage", "run", "-m", "pytest"})->interpreter);
  }

  TEST_CASE("a script has its interpreter beside it") {
    const testmon_precreate::tests::TemporaryDirectory directory;
    const std::string script = (directory.path() / "pytest").string();
    CHECK_FALSE(find_pytest_command(Words{script})->interpreter);
    directory.write("python");
    CHECK(find_pytest_command(Words{script})->interpreter ==
          (directory.path() / "python").string());
    CHECK_FALSE(find_pytest_command(Words{"pytest"})->interpreter);
  }

  TEST_CASE("a command that does not show a pytest call has none") {
    CHECK_FALSE(find_pytest_command(Words{"make", "test"}));
    CHECK_FALSE(find_pytest_command(Words{"sh", "-c", "pytest -n 4"}));
    CHECK_FALSE(find_pytest_command(Words{"python", "-m", "unittest"}));
    CHECK_FALSE(find_pytest_command(Words{}));
  }
}

} // namespace
