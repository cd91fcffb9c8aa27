"""As many workers as the change needs: which runs are given how many, and that nothing else about them changes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from plugin_support import MIDDLE, NEW, OLD, assert_clean, plugin_environment, run
from pythons import python_of
from support import Project

TESTS_IN_A_FILE = 2
CHOSEN = re.compile(r"testmon-precreate: (\d+) of (\d+) workers: (.*)")
# What each hook of a user's conftest gets to see of the workers.
LOOK = """
import json, os, pathlib
import pytest


def pytest_sessionstart(session):
    if not hasattr(session.config, "workerinput"):
        option = session.config.option
        seen = {"numprocesses": option.numprocesses, "dist": option.dist, "tx": len(option.tx)}
        pathlib.Path(__file__).with_name("seen.json").write_text(json.dumps(seen))


@pytest.fixture(autouse=True)
def used_by_every_test(worker_id, testrun_uid):
    assert worker_id == os.environ.get("PYTEST_XDIST_WORKER", "master")
    assert testrun_uid
"""


class Runs:
    """A project and runs of it with the plugin."""

    def __init__(self, project: Project, venv, commands) -> None:
        self.project = project
        self.venv = venv
        self.commands = commands
        # What a start has cost is remembered in there.
        self.environment = plugin_environment(venv, commands, XDG_CACHE_HOME=str(project.path / ".cache"))

    def record(self) -> Runs:
        project = self.project
        (project.path / "conftest.py").write_text(LOOK)
        (project.path / "shop.py").unlink()
        for number in range(2):  # each file tests a module of its own
            (project.path / f"shop_{number}.py").write_text("def price(count):\n    return count * 3\n")
            (project.path / "tests" / f"test_price_{number}.py").write_text(
                f"import shop_{number} as shop\n\n\ndef test_one():\n    assert shop.price(1) == 3\n\n\n"
                "def test_none():\n    assert shop.price(0) == 0\n"
            )
        self("-n", "0")
        return self

    def copy(self, path: Path) -> Runs:
        shutil.copytree(self.project.path, path)
        return Runs(Project(path), self.venv, self.commands)

    def edit(self, number: int) -> None:
        module = self.project.path / f"shop_{number}.py"
        module.write_text(module.read_text().replace("count * 3", "3 * count"))

    def __call__(self, *arguments: str, **variables: str):
        (self.project.path / "seen.json").unlink(missing_ok=True)
        verbose = [] if "no:terminal" in arguments else ["-v"]
        result = run(self.project, self.venv, {**self.environment, **variables}, *verbose, *arguments)
        self.output = result.output
        return result

    def workers(self, *arguments: str, **variables: str) -> int:
        """How many xdist was told to start, as a user's conftest sees it; the header must say so too."""
        result = self(*arguments, **variables)
        assert result.exit_code in (0, 1, 5), result.output
        seen = json.loads((self.project.path / "seen.json").read_text())
        if "-n" in arguments:
            # With --maxprocesses xdist itself leaves the number that was asked for.
            assert seen["numprocesses"] == seen["tx"] or "--maxprocesses" in arguments, seen
            assert (seen["dist"] == "no") == (seen["tx"] == 0), seen
        chosen = CHOSEN.search(result.output)
        assert chosen is None or int(chosen.group(1)) == seen["tx"], result.output
        return seen["tx"]

    def because(self) -> str:
        chosen = CHOSEN.search(self.output)
        return chosen.group(3) if chosen else ""


@pytest.fixture(scope="module")
def unchanged(venvs, commands, tmp_path_factory) -> Runs:
    """A project that tests leave as it is."""
    project = Project.sample(tmp_path_factory.mktemp("unchanged") / "project")
    return Runs(project, venvs.get(*NEW), commands).record()


@pytest.fixture
def runs(unchanged, tmp_path) -> Runs:
    return unchanged.copy(tmp_path / "project")


@pytest.mark.parametrize("requirements, python", [(OLD, "3.8"), (MIDDLE, "3.11"), (NEW, "3.13")], ids=["old", "middle", "new"])
def test_nothing_changed_starts_no_worker_and_says_what_stock_says(requirements, python, project, venvs, commands):
    runs = Runs(project, venvs.get(*requirements, python=python_of(python)), commands).record()
    fixed = runs("-n", "2", TESTMON_XDIST_WORKERS="fixed")
    assert "gw0" in fixed.output or "2 workers" in fixed.output
    ours = runs("-n", "2")
    assert CHOSEN.search(ours.output).groups() == ("0", "2", "nothing to run")
    assert ours.exit_code == fixed.exit_code
    headers = [[line for line in one.output.splitlines() if line.startswith("testmon:")] for one in (fixed, ours)]
    assert headers[0] == headers[1] != []
    assert_clean(project)


def test_as_many_as_tests_are_affected_and_none_that_does_not_pay(runs):
    runs.edit(0)
    assert runs.workers("-n", "6") == TESTS_IN_A_FILE  # the cost of a start is not known yet
    assert runs.because().startswith("2 tests, about 0.")
    runs.edit(1)
    assert runs.workers("-n", "6") == 1  # two tests of a millisecond
    assert runs.output.count("PASSED") == TESTS_IN_A_FILE


@pytest.mark.parametrize("mode, most", [("loadfile", 1), ("loadscope", 1), ("loadgroup", 2), ("worksteal", 2)])
def test_never_more_than_groups(mode, most, runs):
    runs.edit(0)
    assert runs.workers("-n", "6", "--dist", mode) == most
    assert runs.output.count("PASSED") == TESTS_IN_A_FILE


def test_as_asked_where_more_may_run(runs):
    """New test files, changed ones, tests without a duration and a file without data."""
    new = runs.project.path / "tests" / "test_new.py"
    new.write_text("def test_it():\n    pass\n")
    assert runs.workers("-n", "2") == 2
    assert runs.because() == "1 test file without data"
    new.write_text("def test_it():\n    assert 1\n\n\ndef test_added():\n    pass\n")
    assert runs.workers("-n", "2") == 2
    assert runs.because() == "1 changed test file"
    assert runs.output.count("PASSED") == 2
    runs.project.datafile.unlink()
    assert runs.workers("-n", "2") == 2
    assert runs.because() == "nothing is recorded"


def test_a_failed_test_runs_again_in_a_worker(runs):
    (runs.project.path / "tests" / "test_fails.py").write_text("def test_it():\n    assert False\n")
    assert runs("-n", "2").failed == 1
    assert runs.workers("-n", "2") == 1
    assert runs.output.count("FAILED") >= 1 and runs.because().startswith("1 test,")


def test_of_the_paths_that_are_given(runs):
    runs.edit(1)
    assert runs.workers("-n", "6", "tests/test_price_0.py") == 0
    runs.edit(0)
    assert runs.workers("-n", "6", "--maxfail", "1", "tests/test_price_0.py") == TESTS_IN_A_FILE


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "2", "--dist", "each"], ["--dist", "load", "--tx", "2*popen"], ["-n", "2", "--testmon-noselect"],
        ["-n", "2", "-k", "test"], ["-n", "2", "-m", "not slow"], ["-n", "2", "--lf"],
        ["-n", "2", "tests/test_price_0.py::test_one"], ["-n", "2", "--no-testmon"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_runs_that_are_never_touched(arguments, unchanged):
    workers = unchanged.workers(*arguments)
    assert workers == (1 if "--tx" in arguments else 2)
    assert unchanged.because() == ""


def test_the_variable_and_the_option_of_run(runs, commands):
    environment = runs.venv.environment(commands, XDG_CACHE_HOME=runs.environment["XDG_CACHE_HOME"])
    command = [commands.precreate, "run", "--fixed-workers", "--", "pytest", "--testmon", "-n", "2", "-v"]
    result = runs.project.run(command, environment)
    assert "2 workers" in result.output and not CHOSEN.search(result.output), result.output
    command.remove("--fixed-workers")
    assert CHOSEN.search(runs.project.run(command, environment).output).groups() == ("0", "2", "nothing to run")


def test_a_scheduler_of_the_users_own_gets_its_workers(runs):
    with open(runs.project.path / "conftest.py", "a") as conftest:
        conftest.write("\n\ndef pytest_xdist_make_scheduler(config, log):\n    return None\n")
    assert runs.workers("-n", "2") == 2


def test_with_pytest_cov_there_is_a_worker(runs):
    """It decides before the number can change how data are collected."""
    arguments = ["-n", "2", "--cov=shop_0", "--cov-report=term"]
    assert runs.workers(*arguments) == 1
    runs.edit(0)
    assert runs.workers(*arguments) == 1
    assert re.search(r"shop_0\.py .* 100%", runs.output), runs.output


def test_auto_logical_and_maxprocesses(runs):
    many = {"PYTEST_XDIST_AUTO_NUM_WORKERS": "5"}
    assert runs.workers("-n", "auto", **many) == 0
    runs.edit(0)
    assert runs.workers("-n", "logical", "--maxprocesses", "1", **many) == 1
    runs.edit(1)
    assert runs.workers("-n", "auto", "-p", "no:terminal", **many) == 1


def test_nocollect_and_what_comes_before_and_after(runs):
    runs.edit(0)
    content = runs.project.datafile.read_bytes()
    assert runs.workers("-n", "6", "--testmon-nocollect") == TESTS_IN_A_FILE
    assert runs.project.datafile.read_bytes() == content
    assert runs("-n", "6", "-x").output.count("PASSED") == TESTS_IN_A_FILE
    assert runs.workers("-n", "6") == 0
    assert_clean(runs.project)


def test_a_number_that_cannot_be_read_is_told(runs):
    result = runs("-n", "2", TESTMON_XDIST_WORKERS="4")
    assert result.exit_code in (0, 5) and "TESTMON_XDIST_WORKERS" in result.output
