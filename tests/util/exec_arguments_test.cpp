#include <testmon_precreate/util/exec_arguments.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

namespace {

namespace util = testmon_precreate::util;

TEST_SUITE("util/exec_arguments") {
  TEST_CASE("both lists end with a null pointer") {
    util::ProcessEnvironment environment;
    environment.set("NAME", "a=b");
    const util::ExecArguments arguments({"program", "", "two words"}, environment);
    CHECK(arguments.program() == std::string("program"));
    CHECK(arguments.argv()[1] == std::string());
    CHECK(arguments.argv()[2] == std::string("two words"));
    CHECK(arguments.argv()[3] == nullptr);
    CHECK(arguments.envp()[0] == std::string("NAME=a=b"));
    CHECK(arguments.envp()[1] == nullptr);
  }

  TEST_CASE("what cannot be executed gives its errno") {
    CHECK(util::ExecArguments({"/no/such/program"}, {}).execute() == ENOENT);
    CHECK(util::ExecArguments({"/"}, {}).execute() == EACCES);
  }
}

} // namespace
