#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/process_facts.hpp>
#include <testmon_precreate/python/python_version.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

namespace core = testmon_precreate::core;
namespace python = testmon_precreate::python;

python::ProcessFacts facts_of_path(const std::string& path) {
  return python::parse_process_facts(R"({"python_version": "3.8.1", "testmon_version": "2.1.3",
    "sys_path": )" + path + "}");
}

TEST_SUITE("python/process_facts") {
  TEST_CASE("every key of the contract is read, unknown ones are not") {
    const python::ProcessFacts facts = python::parse_process_facts(
        R"({"sys_path": ["/a", ""], "python_version": "3.11.7", "testmon_version": "2.1.3",
            "pytest_version": "8.4.2", "environment_name": "ci", "ignore_dependencies": ["x"], "working_directory": "/w",
            "other_distributions": [["n", null], [null, "1"]], "more": {"unknown": 1}})");
    CHECK(facts.sys_path == std::vector<std::string>{"/a", ""});
    CHECK(facts.python_version == "3.11.7");
    CHECK(facts.testmon_version == "2.1.3");
    CHECK(facts.pytest_version == "8.4.2");
    CHECK(facts.environment_name == "ci");
    CHECK(facts.ignore_dependencies == std::vector<std::string>{"x"});
    CHECK(facts.working_directory == "/w");
    CHECK(facts.other_distributions ==
          std::vector<python::Distribution>{{"n", std::nullopt}, {std::nullopt, "1"}});
  }

  TEST_CASE("without a name, the environment is testmon's default") {
    CHECK(facts_of_path("[]").environment_name == "default");
  }

  TEST_CASE("names that are not UTF-8 come back as the bytes that they are") {
    CHECK(facts_of_path(R"(["/\udcff\uDC80x", "\ud83d\udc0d\\udcff\"\u00e9é"])").sys_path ==
          std::vector<std::string>{"/\xff\x80x", "\U0001F40D\\udcff\"éé"});
  }

  TEST_CASE("a missing key, a wrong type and broken JSON are named") {
    const auto fails = [](const char* json, const char* with) {
      CHECK_THROWS_WITH_AS(static_cast<void>(python::parse_process_facts(json)),
                           doctest::Contains(with), core::UsageError);
    };
    fails("{", "not JSON");
    fails("[1e400]", "not JSON");
    fails("[]", "object");
    fails(R"({"python_version": "3.8.1", "testmon_version": "2"})", "sys_path");
    fails(R"({"sys_path": [1], "python_version": "3.8.1", "testmon_version": "2"})", "sys_path");
    fails(R"({"sys_path": [], "testmon_version": "2"})", "python_version");
    fails(R"({"sys_path": [], "python_version": 3, "testmon_version": "2"})", "python_version");
    fails(R"({"sys_path": [], "python_version": "3.8.1", "testmon_version": "2",
              "other_distributions": ["x"]})",
          "other_distributions");
    fails(R"({"sys_path": ["\ud800"], "python_version": "3.8.1", "testmon_version": "2"})", "JSON");
    fails("{\"sys_path\": [\"\\", "JSON");
  }

  TEST_CASE("versions of Python") {
    CHECK(python::parse_python_version("3.13.0") == python::PythonVersion{3, 13});
    CHECK(python::parse_python_version("3.8") == python::PythonVersion{3, 8});
    for (const char* const text : {"", "3", "x.y", "3.7.16", "2.7.18"}) {
      CHECK_THROWS_AS(static_cast<void>(python::parse_python_version(text)),
                      core::EnvironmentProbeError);
    }
  }
}

} // namespace
