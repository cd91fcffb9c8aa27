"""What `doctor` finds; each finding on a real project, and none on a healthy one."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from typing import Dict, List, Sequence

import pytest

from affected_support import Workbench
from namespaces import namespace
from plugin_support import MIDDLE, NEW
from pythons import python_of

PLUGIN = {"TESTMON_XDIST_CONTROLLER_PRECREATION": "true", "PYTEST_PLUGINS": "testmon_precreate.plugin"}


def examine(
    bench: Workbench, *arguments: str, before: Sequence[str] = (), **variables: str
) -> subprocess.CompletedProcess:
    environment = {**bench.environment, **PLUGIN, "CI": "", **variables}
    command = [*before, bench.commands.precreate, "doctor", *arguments]
    return bench.commands.run(*command, cwd=bench.project.path, env=environment)


def findings(bench: Workbench, *arguments: str, **variables) -> Dict[str, List[dict]]:
    """By id. The exit code tells whether one of them is a problem."""
    result = examine(bench, "--json", *arguments, **variables)
    assert result.returncode in (0, 1), result.stderr
    answer = json.loads(result.stdout)
    found: Dict[str, List[dict]] = {}
    for finding in answer["findings"]:
        assert finding["what"] and finding["where"] and finding["cure"]
        found.setdefault(finding["id"], []).append(finding)
    has_problem = any(finding["level"] == "problem" for finding in answer["findings"])
    assert answer["can_select"] != has_problem and result.returncode == has_problem
    return found


def only(found: Dict[str, List[dict]], identifier: str, level: str = "note") -> dict:
    """The one finding there is."""
    assert list(found) == [identifier] and len(found[identifier]) == 1, found
    assert found[identifier][0]["level"] == level
    return found[identifier][0]


def configure(bench: Workbench, line: str) -> None:
    (bench.project.path / "pytest.ini").write_text(f"[pytest]\npythonpath = .\n{line}\n")


def test_a_healthy_project(bench):
    result = examine(bench)
    assert (result.returncode, result.stdout) == (0, "0 problems, 0 notes: selection can work here\n"), result
    assert findings(bench, "--thorough") == findings(bench, "--", "pytest", "--testmon", "-x", "--ff") == {}
    assert "checking" in examine(bench, "--thorough").stderr


@pytest.mark.parametrize(
    "requirements, harmful, innocent",
    [
        (MIDDLE, ['-m "not slow"', "-k 'not slow'", "--testmon-noselect"], ["-x --ff --nf -q", "-m 'not slow' -m ''"]),
        (NEW, ['-m "not slow"', "--last-failed"], ["-m 'not slow' --testmon-forceselect"]),
    ],
    ids=["middle", "newest"],
)
def test_options_that_switch_selection_off(venvs, bench, requirements, harmful, innocent):
    """What doctor says of an option is what testmon does."""
    bench.venv = venvs.get(*requirements)
    bench.project.datafile.unlink()
    bench.pytest()

    def passed(options: str) -> int:
        configure(bench, f"addopts = {options}")
        result = bench.project.run([bench.venv.python, "-m", "pytest", "--testmon"], bench.environment)
        assert result.exit_code in (0, 5), result.output
        return result.passed

    for options in harmful:
        assert passed(options) == 4, options
        finding = only(findings(bench), "selection-off", "problem")
        assert finding["what"].startswith(options.split()[0])
        assert finding["where"] == f"addopts in {bench.project.path / 'pytest.ini'}"
    for options in innocent:
        assert passed(options) == 0, options
        assert findings(bench, "--", "-n", "2") == {}


def test_where_an_option_comes_from(bench):
    assert only(findings(bench, PYTEST_ADDOPTS="-k one"), "selection-off", "problem")["where"] == "PYTEST_ADDOPTS"
    found = findings(bench, "--", "-m", "slow", "tests/test_price_0.py::test_one", PYTEST_ADDOPTS="--lf")["selection-off"]
    assert [(one["what"].split(":")[0], one["where"]) for one in found] == [
        ('-m "slow"', "the command line"),
        ("--lf", "PYTEST_ADDOPTS"),
        ("FILE.py", "the command line"),
    ]
    configure(bench, "addopts =")
    (bench.project.path / "pytest.ini").unlink()
    toml = bench.project.path / "pyproject.toml"
    toml.write_text("[tool.pytest.ini_options]\npythonpath = '.'\naddopts = \"-m 'not slow'\"\n")
    assert only(findings(bench), "selection-off", "problem")["where"] == f"addopts in {toml}"


def test_testmon_is_off(bench):
    assert only(findings(bench, "--", "pytest", "-q", "tests"), "testmon-off", "problem")
    assert findings(bench, "--", "-q", "tests") == {}
    for options in ("--no-testmon", "-p no:pytest-testmon"):
        configure(bench, f"addopts = {options}")
        assert only(findings(bench), "testmon-off", "problem")["what"].startswith(options)
    configure(bench, "addopts = --testmon-nocollect")
    assert only(findings(bench), "nothing-recorded")


def test_coverage_core(venvs, bench):
    bench.venv = venvs.get(*NEW, python=python_of("3.12"))
    bench.project.datafile.unlink()
    bench.pytest()
    assert findings(bench, COVERAGE_CORE="ctrace") == {}
    assert findings(bench, COVERAGE_CORE="sysmon") == {}
    found = findings(bench, COVERAGE_CORE="sysmon", TESTMON_XDIST_CONTROLLER_PRECREATION="")
    assert found["coverage-core"][0]["level"] == "problem" and found["coverage-core"][0]["where"] == "COVERAGE_CORE"


def test_the_plugin(bench, tmp_path):
    assert only(findings(bench, TESTMON_XDIST_CONTROLLER_PRECREATION=""), "plugin-off")
    assert only(findings(bench, PYTEST_PLUGINS=""), "plugin-missing")
    assert only(findings(bench, "--", "-p", "no:testmon-precreate"), "plugin-missing")
    # A `KeyError: 'lf'` without the plugin.
    assert findings(bench, "--", "-p", "no:cacheprovider") == {}
    found = findings(bench, "--", "-p", "no:cacheprovider", TESTMON_XDIST_CONTROLLER_PRECREATION="")
    assert found["no-cacheprovider"][0]["level"] == "problem"
    bench.venv = bench.venv.copy(tmp_path / "venv")
    bench.venv.add_distribution("testmon-precreate", "0.0.1")
    bench.pytest()
    assert "0.0.1" in only(findings(bench, PYTEST_PLUGINS=""), "plugin-version")["what"]


def test_interpreters_and_versions(bench, venvs, tmp_path):
    found = findings(bench, "--python", venvs.get().python)
    assert "pytest-testmon" in only(found, "interpreter", "problem")["what"]
    nowhere = tmp_path / "bin"
    nowhere.mkdir()
    assert only(findings(bench, PATH=str(nowhere), VIRTUAL_ENV=""), "no-interpreter")
    # xdist is needed for -n alone.
    assert "xdist" in only(findings(bench, "--", "-n", "2"), "version", "problem")["what"]
    bench.venv = venvs.get("pytest-testmon==2.0.15", "pytest<8")
    assert "2.0.15" in findings(bench)["interpreter"][0]["what"]


def test_a_missing_data_file(bench):
    bench.project.datafile.unlink()
    assert "cache" not in only(findings(bench), "no-data-file")["cure"]
    assert "cache" in only(findings(bench, CI="true"), "no-data-file")["cure"]
    bench.project.datafile.touch()
    assert only(findings(bench), "no-data-file")


def test_a_log_beside_the_data_file(bench):
    (bench.project.path / "tests" / "test_price_0.py").write_text("import os\n\n\ndef test_it():\n    os._exit(1)\n")
    result = bench.project.run([bench.venv.python, "-m", "pytest", "--testmon"], bench.environment)
    assert result.exit_code == 1
    finding = only(findings(bench), "wal")
    assert finding["where"] == f"{bench.project.datafile}-wal" and "bytes" in finding["what"]
    cleanup = bench.commands.run(bench.commands.precreate, "cleanup", cwd=bench.project.path, env=bench.environment)
    assert cleanup.returncode == 0
    assert findings(bench) == {}


def test_a_data_file_that_cannot_be_written(bench):
    read_only = namespace(read_only=bench.project.path)
    assert only(findings(bench, before=read_only), "read-only")
    found = findings(bench, before=read_only, TESTMON_XDIST_CONTROLLER_PRECREATION="")
    assert found["read-only"][0]["level"] == "problem"


def test_a_damaged_data_file(bench):
    content = bench.project.datafile.read_bytes()
    # A page in the middle, which no other command reads.
    bench.project.datafile.write_bytes(content[:8192] + b"\xff" * 4096 + content[12288:])
    assert findings(bench, "--thorough")["damaged"][0]["level"] == "problem"
    bench.project.datafile.write_text("no database " * 100)
    assert only(findings(bench), "damaged", "problem")["where"] == str(bench.project.datafile)


def change(bench: Workbench, *statements: str) -> None:
    connection = sqlite3.connect(bench.project.datafile)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_data_versions(bench):
    change(bench, "PRAGMA user_version = 13")
    assert only(findings(bench), "data-version")
    change(bench, "PRAGMA user_version = 99")
    assert "99" in only(findings(bench), "damaged", "problem")["what"]


def test_packages_that_change_each_run(bench, tmp_path):
    bench.venv = bench.venv.copy(tmp_path / "venv")
    environment = {**bench.environment, **PLUGIN, "PYTHONPATH": bench.commands.plugin_directory}
    for version in ("1.0", "1.1", "1.2"):
        bench.venv.remove_distribution("mine")
        bench.venv.add_distribution("mine", version)
        result = bench.project.run([bench.venv.python, "-m", "pytest", "--testmon"], environment)
        assert result.passed == 4, result.output
    assert "nothing but mine:" in only(findings(bench), "changing-packages")["what"]
    bench.venv.add_distribution("other", "1.0")
    assert set(findings(bench)) == {"new-environment", "changing-packages"}


def test_a_version_that_names_a_commit(bench, tmp_path):
    bench.venv = bench.venv.copy(tmp_path / "venv")
    bench.venv.add_distribution("torch", "2.1.0+cu118")
    bench.pytest()
    assert findings(bench) == {}
    bench.venv.add_distribution("mine", "0.3.dev7+gabc1234.d20261127")
    bench.pytest()
    assert "mine 0.3+gabc1234.d20261127" in only(findings(bench), "changing-version")["what"]
    configure(bench, "testmon_ignore_dependencies = mine")
    bench.pytest()
    assert findings(bench) == {}


def test_parked_environments(bench, tmp_path):
    bench.venv = bench.venv.copy(tmp_path / "venv")
    bench.venv.add_distribution("added", "1.0")
    prepare = bench.commands.run(bench.commands.precreate, "prepare", cwd=bench.project.path, env=bench.environment)
    assert prepare.returncode == 0, prepare.stderr
    assert findings(bench) == {}
    old = time.time() - 31 * 24 * 3600
    change(bench, f"UPDATE metadata SET data = '{old}' WHERE dataid LIKE 'testmon-precreate:parked:%'")
    assert "1 parked environment has" in only(findings(bench), "parked")["what"]


def test_tests_that_depend_on_no_code(bench):
    tests = bench.project.path / "tests"
    for i in range(2):
        (tests / f"test_price_{i}.py").write_text(
            "import subprocess, sys\n\n\ndef price(count):\n"
            "    code = f'import shop; print(shop.price_0({count}))'\n"
            "    return subprocess.check_output([sys.executable, '-c', code])\n\n\n"
            + "".join(f"def test_{n}():\n    assert price({n}) == b'{n}\\n'\n\n\n" for n in range(3))
        )
    bench.pytest()
    assert "all of 6 tests" in only(findings(bench), "tests-without-code", "problem")["what"]
    for n in range(2):
        (tests / f"test_new_{n}.py").write_text("import shop\n\n\ndef test_it():\n    assert shop.price_0(1) == 1\n")
    bench.pytest()
    assert "6 of 8 tests" in only(findings(bench), "tests-without-code")["what"]


def test_a_stale_base(bench):
    commits = "".join(
        f"commit refs/heads/main\ncommitter me <me@example.com> {1500000000 + i} +0000\ndata 1\nx\n" for i in range(51)
    )
    for command, text in (["init", "-q", "-b", "main"], ""), (["fast-import", "--quiet"], commits):
        subprocess.run(["git", "-C", str(bench.project.path), *command], input=text, text=True, check=True)
    tests = [bench.project.path / "tests" / f"test_more_{i}.py" for i in range(6)]
    for path in tests:
        path.write_text("import shop\n\n\ndef test_it():\n    assert shop.price_0(1) == 1\n")
    bench.pytest()
    assert findings(bench) == {}
    os.utime(bench.project.datafile, (1.4e9, 1.4e9))
    assert "older than 51 commits" in only(findings(bench), "old-base")["what"]
    os.utime(bench.project.datafile)
    for path in tests:
        path.write_text(path.read_text().replace("price_0(1)", "price_0(count=1)"))
    assert "6 recorded files" in only(findings(bench), "stale-base")["what"]
    bench.pytest()
    assert findings(bench) == {}
