#include <testmon_precreate/cli/terminal.hpp>

#include <doctest/doctest.h>

#include <sstream>

namespace {

namespace cli = testmon_precreate::cli;

TEST_SUITE("cli/terminal") {
  TEST_CASE("messages name the program and their kind, on one line of standard error") {
    std::ostringstream out;
    std::ostringstream err;
    const cli::Terminal terminal("testmon-x", out, err, false);
    terminal.error("bad");
    terminal.warning("odd");
    terminal.note("fine");
    CHECK(err.str() == "testmon-x: error: bad\ntestmon-x: warning: odd\ntestmon-x: fine\n");
    CHECK(out.str().empty());
  }

  TEST_CASE("colour marks the kind only") {
    std::ostringstream out;
    std::ostringstream err;
    cli::Terminal("testmon-x", out, err, true).error("bad");
    CHECK(err.str() == "testmon-x: \033[1;31merror: \033[0mbad\n");
  }
}

} // namespace
