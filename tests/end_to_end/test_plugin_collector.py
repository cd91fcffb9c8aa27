"""What the plugin takes out of the garbage collector's sight, and what it must not."""

from __future__ import annotations

import pytest
from plugin_support import MIDDLE, NEW, OLD, plugin_environment, run
from pythons import python_of

# Writes how many objects each process has frozen, from the first test of each worker and the end of each session.
COUNTING_CONFTEST = """
import gc, os
from pathlib import Path

def pytest_sessionfinish(session):
    with open(Path(__file__).parent / "frozen", "a") as file:
        file.write(f"{gc.get_freeze_count()}\\n")
"""

# An object in a circle, made by a plugin, that only the interpreter's last collection ends.
HOLDER = """
import os

class Holder:
    def __init__(self):
        self.me = self
        self.file = open("written-at-the-end-" + os.environ.get("PYTEST_XDIST_WORKER", "controller"), "w")
        self.file.write("complete")

holder = Holder()
"""

SPEAKER = """
import os

class Speaker:
    def __init__(self):
        self.me = self

    def __del__(self, worker=os.environ.get("PYTEST_XDIST_WORKER", "controller"), open=os.open, flags=os.O_CREAT):
        open("ended-" + worker, flags)

speaker = Speaker()
"""


@pytest.fixture
def counting(project):
    (project.path / "conftest.py").write_text(COUNTING_CONFTEST)
    return lambda: [int(line) for line in (project.path / "frozen").read_text().split()]


@pytest.mark.parametrize("requirements, python", [(OLD, "3.8"), (MIDDLE, "3.9"), (NEW, None)])
def test_frozen_in_every_process(requirements, python, venvs, commands, project, counting):
    venv = venvs.get(*requirements, **({"python": python_of(python)} if python else {}))
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2")
    assert result.exit_code == 0, result.output
    assert len(counting()) == 3
    assert min(counting()) > 10_000


@pytest.mark.parametrize(
    "variables, arguments",
    [
        ({"TESTMON_XDIST_FREEZE": "off"}, ["-n", "2"]),
        ({"TESTMON_XDIST_CONTROLLER_PRECREATION": "off"}, ["-n", "2"]),
        ({}, ["-n", "0"]),
        ({}, ["-n", "2", "--no-testmon"]),
        ({}, ["-n", "2", "-p", "no:testmon-precreate"]),
    ],
    ids=lambda value: "-".join(value) or "default",
)
def test_nothing_is_frozen(variables, arguments, venvs, commands, project, counting):
    venv = venvs.get(*NEW)
    result = run(project, venv, {**plugin_environment(venv, commands), **variables}, *arguments)
    assert result.exit_code == 0, result.output
    assert set(counting()) == {0}


@pytest.mark.parametrize(
    "plugin, left", [(HOLDER, "written-at-the-end"), (SPEAKER, "ended")], ids=["open file", "finalizer"]
)
def test_what_the_end_of_a_process_has_to_do_is_done(plugin, left, venvs, commands, project, counting):
    venv = venvs.get(*NEW)
    (project.path / "early_plugin.py").write_text(plugin)
    environment = plugin_environment(venv, commands)
    environment["PYTHONPATH"] = f"{project.path}:{environment.get('PYTHONPATH', '')}"
    result = run(project, venv, environment, "-n", "2", "-p", "early_plugin")
    assert result.exit_code == 0, result.output
    files = sorted(project.path.glob(f"{left}-*"))
    assert [file.name.rpartition("-")[2] for file in files] == ["controller", "gw0", "gw1"]
    if left.startswith("written"):
        assert {file.read_text() for file in files} == {"complete"}
    assert set(counting()) == {0}
