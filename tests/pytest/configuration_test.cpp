#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/pytest/configuration.hpp>

#include <doctest/doctest.h>

namespace {

namespace core = testmon_precreate::core;
namespace pytest = testmon_precreate::pytest;
using testmon_precreate::tests::TemporaryDirectory;

constexpr pytest::PytestVersion pytest_7{7, 4, 4};
constexpr pytest::PytestVersion pytest_9_0{9, 0, 2};

std::optional<pytest::IniValues> load(const char* name, const char* content,
                                      pytest::PytestVersion version = pytest::newest_pytest) {
  const TemporaryDirectory directory;
  return pytest::load_configuration(directory.write(name, content), version);
}

std::string error_of(const char* name, const char* content,
                     pytest::PytestVersion version = pytest::newest_pytest) {
  try {
    static_cast<void>(load(name, content, version));
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "no error";
}

bool holds(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST_SUITE("pytest/configuration") {
  TEST_CASE("INI files by their names") {
    CHECK(load("pytest.ini", "[pytest]\na = 1\n")->at("a").text == "1");
    CHECK(load("tox.ini", "[pytest]\na = 1\n")->at("a").text == "1");
    CHECK(load("setup.cfg", "[tool:pytest]\na = 1\n")->at("a").text == "1");
    CHECK(load("pytest.ini", "")->empty());
    CHECK(load(".pytest.ini", "")->empty());
    CHECK_FALSE(load(".pytest.ini", "", pytest_7).has_value());
    CHECK_FALSE(load("tox.ini", "[testenv]\n").has_value());
    CHECK_FALSE(load("setup.cfg", "[metadata]\n").has_value());
    CHECK_FALSE(load("pytest.yaml", "a: 1").has_value());
  }

  TEST_CASE("pyproject.toml in INI mode: scalars become texts") {
    const auto values =
        load("pyproject.toml", "[tool.pytest.ini_options]\na = ['x', 'y z']\nb = true\n"
                               "c = 3\nd = 1.5\ne = 'text'\nf = 2020-01-02\n");
    CHECK(values->at("a").is_list);
    CHECK(values->at("a").list == std::vector<std::string>{"x", "y z"});
    CHECK(values->at("a").text == "x\ny z");
    CHECK(values->at("b").text == "True");
    CHECK(values->at("c").text == "3");
    CHECK(values->at("d").text == "1.5");
    CHECK(values->at("e").text == "text");
    CHECK(values->at("f").text == "2020-01-02");
    CHECK_FALSE(values->at("e").is_native);
    CHECK_FALSE(load("pyproject.toml", "[project]\nname = 'x'\n").has_value());
  }

  TEST_CASE("native TOML from pytest 9 on") {
    CHECK(load("pyproject.toml", "[tool.pytest]\na = 'x'\n")->at("a").is_native);
    CHECK_FALSE(load("pyproject.toml", "[tool.pytest]\na = 'x'\n", pytest_7).has_value());
    CHECK(load("pytest.toml", "[pytest]\na = ['x']\n")->at("a").list.size() == 1);
    CHECK(load(".pytest.toml", "")->empty());
    CHECK(load("pytest.toml", "a = 1", pytest_9_0)->empty());
    CHECK(load("own.toml", "[pytest]\na = 'x'\n")->at("a").text == "x");
    CHECK_FALSE(load("own.toml", "[pytest]\na = 'x'\n", pytest_9_0).has_value());
    CHECK(pytest::configuration_names(pytest_7).front() == "pytest.ini");
    CHECK(pytest::configuration_names(pytest_9_0).front() == "pytest.toml");
  }

  TEST_CASE("what cannot be parsed is named with file and line") {
    CHECK(holds(error_of("pytest.ini", "[pytest]\nnonsense\n"), "pytest.ini:2"));
    CHECK(holds(error_of("pyproject.toml", "[a]\nb = 1\nc = \n"), "pyproject.toml:3"));
    CHECK(holds(error_of("pytest.toml", "[pytest]\n\nx = [1\n"), "pytest.toml:"));
    CHECK(holds(error_of("pytest.toml", "\nx = 1\n"), "pytest.toml:2"));
    CHECK(holds(error_of("setup.cfg", "[pytest]\na = 1\n"), "[tool:pytest]"));
    CHECK(holds(
        error_of("pyproject.toml", "[tool.pytest]\na = 1\n[tool.pytest.ini_options]\nb = 1\n"),
        "used together"));
    CHECK(holds(error_of("own.toml", "[pytest]\na = 1\n[tool.pytest]\nb = 1\n"), "used together"));
    CHECK(holds(error_of("pytest.ini", "[pytest]\nx = \xff\n"), "pytest.ini:2"));
  }
}

} // namespace
