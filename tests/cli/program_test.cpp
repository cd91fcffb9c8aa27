#include <testmon_precreate/cli/program.hpp>

#include <CLI/CLI.hpp>
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace cli = testmon_precreate::cli;
namespace core = testmon_precreate::core;
using testmon_precreate::util::ProcessEnvironment;

// A program with one subcommand `act` whose callback is given.
struct Harness {
  std::ostringstream out;
  std::ostringstream err;
  cli::Program program;
  CLI::App app{"An app for tests", "testmon-x"};

  Harness(std::vector<std::string> arguments, std::map<std::string, std::string> variables = {})
      : program(cli::make_program(std::move(arguments), ProcessEnvironment(std::move(variables)),
                                  cli::Terminal("testmon-x", out, err, false))) {
    app.require_subcommand(1);
  }

  int run(const std::function<void()>& action) {
    app.add_subcommand("act", "Acts")->callback(action);
    return cli::run_program(program, app);
  }
};

TEST_SUITE("cli/program") {
  TEST_CASE("arguments are split at the first dashes") {
    const Harness harness({"act", "--", "pytest", "--", "-x"});
    CHECK(harness.program.arguments == std::vector<std::string>{"act"});
    CHECK(harness.program.after_dashes == std::vector<std::string>{"pytest", "--", "-x"});
  }

  TEST_CASE(
      "without dashes there is no list of words after them; with nothing after them it is empty") {
    CHECK_FALSE(Harness({"act"}).program.after_dashes.has_value());
    CHECK(Harness({"act", "--"}).program.after_dashes.value().empty());
  }

  TEST_CASE("the exit code is the subcommand's") {
    Harness harness({"act"});
    CHECK(harness.run([&] { harness.program.exit_code = 7; }) == 7);
  }

  TEST_CASE("the variables are read before the subcommand runs") {
    Harness harness({"act"}, {{"TESTMON_XDIST_WORKER_TIMEOUT", "5"}});
    double timeout = 0;
    CHECK(harness.run([&] { timeout = harness.program.settings.worker_timeout.count(); }) == 0);
    CHECK(timeout == 5);
  }

  TEST_CASE("a bad variable ends the program with a message") {
    Harness harness({"act"}, {{"TESTMON_XDIST_DEBUG", "maybe"}});
    CHECK(harness.run([] { FAIL("ran"); }) == 2);
    CHECK(harness.err.str().starts_with("testmon-x: error: 'maybe' is not a boolean "
                                        "(TESTMON_XDIST_DEBUG). "));
  }

  TEST_CASE("every error becomes a message and its exit code") {
    CHECK(Harness({"act"}).run([] {
      throw core::CoordinationBusy({.what = "busy", .where = "", .hint = ""});
    }) == 9);
    CHECK(Harness({"act"}).run([] { throw std::runtime_error("odd"); }) == 1);
    Harness harness({"act"});
    CHECK(harness.run([] {
      throw std::filesystem::filesystem_error("open", "/there",
                                              std::make_error_code(std::errc::permission_denied));
    }) == 6);
    CHECK(harness.err.str() == "testmon-x: error: could not open: Permission denied (/there)\n");
  }

  TEST_CASE("a wrong command line is a usage error that points to the help") {
    Harness harness({"act", "--wrong"});
    CHECK(harness.run([] {}) == 2);
    CHECK(harness.err.str().find("--wrong") != std::string::npos);
    CHECK(harness.err.str().find("Run testmon-x --help") != std::string::npos);
  }

  TEST_CASE("help is a result, on standard output") {
    Harness harness({"--help"});
    CHECK(harness.run([] {}) == 0);
    CHECK(harness.out.str().find("act") != std::string::npos);
    CHECK(harness.err.str().empty());
  }

  TEST_CASE("switched off says so") {
    Harness harness({"act"}, {{"TESTMON_XDIST_CONTROLLER_PRECREATION", "no"}});
    bool off = false;
    CHECK(harness.run([&] { off = cli::switched_off(harness.program); }) == 0);
    CHECK(off);
    CHECK(harness.err.str().find("TESTMON_XDIST_CONTROLLER_PRECREATION") != std::string::npos);
  }

  TEST_CASE("the version names the data versions") {
    CHECK(cli::version_text("testmon-x").ends_with("(data versions 12 to 14)"));
  }
}

} // namespace
