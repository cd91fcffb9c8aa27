#include "temporary_directory.hpp"

#include <testmon_precreate/core/errors.hpp>
#include <testmon_precreate/python/interpreter.hpp>
#include <testmon_precreate/python/probe.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
namespace python = testmon_precreate::python;
namespace util = testmon_precreate::util;
using testmon_precreate::core::EnvironmentProbeError;
using testmon_precreate::tests::TemporaryDirectory;

fs::path write_program(const TemporaryDirectory& directory, const fs::path& name,
                       const std::string& script = "") {
  const fs::path file = directory.write(name, "#!/bin/sh\n" + script);
  fs::permissions(file, fs::perms::owner_all);
  return file;
}

util::ProcessEnvironment environment_with_path(const fs::path& path) {
  util::ProcessEnvironment environment;
  environment.set("PATH", path.string());
  return environment;
}

// An interpreter that answers whatever the test wants.
python::ProcessFacts probe_answering(const std::string& script,
                                     util::Seconds timeout = util::Seconds(60)) {
  const TemporaryDirectory directory;
  python::ProbeRequest request;
  request.interpreter = write_program(directory, "python", script);
  request.environment = environment_with_path("/usr/bin:/bin");
  request.timeout = timeout;
  return python::probe_interpreter(request);
}

TEST_SUITE("python/interpreter") {
  TEST_CASE("a wanted path or name, the virtual environment, then python3 and python on PATH") {
    const TemporaryDirectory directory;
    util::ProcessEnvironment environment = environment_with_path(directory.path() / "bin");
    const fs::path python = write_program(directory, "bin/python");
    CHECK(python::find_interpreter(std::nullopt, environment) == python);
    const fs::path python3 = write_program(directory, "bin/python3");
    CHECK(python::find_interpreter(std::nullopt, environment) == python3);
    CHECK(python::find_interpreter("python", environment) == python);
    CHECK(python::find_interpreter(python, environment) == python);
    environment.set("VIRTUAL_ENV", directory.path() / "venv");
    CHECK(python::find_interpreter(std::nullopt, environment) == python3);
    const fs::path of_venv = write_program(directory, "venv/bin/python");
    CHECK(python::find_interpreter(std::nullopt, environment) == of_venv);
  }

  TEST_CASE("a link is kept: it is what makes a virtual environment") {
    const TemporaryDirectory directory;
    write_program(directory, "real");
    fs::create_symlink("real", directory.path() / "link");
    CHECK(python::find_interpreter(directory.path() / "link", {}) == directory.path() / "link");
  }

  TEST_CASE("what was looked for is named in the error") {
    const TemporaryDirectory directory;
    directory.write("plain", "not executable");
    const util::ProcessEnvironment environment = environment_with_path(directory.path());
    CHECK_THROWS_WITH_AS(
        static_cast<void>(python::find_interpreter(directory.path() / "plain", environment)),
        doctest::Contains("plain"), EnvironmentProbeError);
    CHECK_THROWS_WITH_AS(static_cast<void>(python::find_interpreter("python9", environment)),
                         doctest::Contains("python9"), EnvironmentProbeError);
    CHECK_THROWS_WITH_AS(static_cast<void>(python::find_interpreter(std::nullopt, environment)),
                         doctest::Contains("python3"), EnvironmentProbeError);
  }
}

TEST_SUITE("python/probe") {
  TEST_CASE("the answer is found between whatever else is printed") {
    const python::ProcessFacts facts = probe_answering(R"(cat <<'END'
noise
testmon-precreate-probe:{"python_version": "3.11.7", "testmon_version": "2.1.3", "environment_name": "ci", "sys_path": ["/a", "b,c"], "other_distributions": [[null, "1"], ["n", ""]]}
more noise
END
)");
    CHECK(facts.python_version == "3.11.7");
    CHECK(facts.testmon_version == "2.1.3");
    CHECK(facts.environment_name == "ci");
    CHECK(facts.sys_path == std::vector<std::string>{"/a", "b,c"});
    CHECK(facts.other_distributions ==
          std::vector<python::Distribution>{{std::nullopt, "1"}, {"n", ""}});
  }

  TEST_CASE("an answer that breaks off anywhere is an error") {
    const std::string answer =
        R"(testmon-precreate-probe:{"python_version": "3.11.7", "testmon_version": "2.1.3", "sys_path": []})";
    for (std::size_t size = 0; size < answer.size(); ++size) {
      CHECK_THROWS_AS(
          static_cast<void>(probe_answering("printf '\\n" + answer.substr(0, size) + "'")),
          EnvironmentProbeError);
    }
  }

  TEST_CASE("a failing interpreter is an error with its last words") {
    CHECK_THROWS_WITH_AS(static_cast<void>(probe_answering("echo why >&2; exit 7")),
                         doctest::Contains("exit code 7: why"), EnvironmentProbeError);
  }

  TEST_CASE("an interpreter that does not answer is not waited for longer than asked") {
    CHECK_THROWS_WITH_AS(static_cast<void>(probe_answering("exec sleep 60", util::Seconds(0.2))),
                         doctest::Contains("did not answer within 0.2 seconds"),
                         EnvironmentProbeError);
  }
}

} // namespace
