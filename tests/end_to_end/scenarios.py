"""What can happen between two runs of `pytest --testmon -n N`, and what each run must execute then.

The test matrix and the compatibility table walk the same scenarios, stock and with us.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List

from support import Commands, Project, PytestResult, Venv

# Released versions that people run together with xdist, oldest first.
TESTMON_VERSIONS = ("2.1.0", "2.1.1", "2.1.3", "2.1.4", "2.2.0")

ALL = 4  # tests of the sample project


@dataclass(frozen=True)
class Scenario:
    """One change between two runs."""

    name: str
    prepare: Callable[[Venv], None]  # before the first run, if the usual one does not do
    change: Callable[[Venv, Project], None]  # between the runs
    executed: int  # tests that the second run must execute


def nothing(*_: object) -> None:
    pass


def _other_interpreter(_: Venv, project: Project) -> None:
    """The row as an interpreter of another patch version left it."""
    connection = sqlite3.connect(project.datafile)
    with connection:
        connection.execute("UPDATE environment SET python_version = '3.0.99'")
    connection.close()


SCENARIOS = (
    Scenario("first run", nothing, lambda venv, project: project.datafile.unlink(), ALL),
    Scenario("no change", nothing, nothing, 0),
    Scenario("package added, sorts first", nothing, lambda venv, _: venv.add_distribution("AAA-first", "1.0"), ALL),
    Scenario("package added, sorts last", nothing, lambda venv, _: venv.add_distribution("zzz-last", "1.0"), ALL),
    Scenario(
        "package removed",
        lambda venv: venv.add_distribution("mmm-middle", "1.0"),
        lambda venv, _: venv.remove_distribution("mmm-middle"),
        ALL,
    ),
    Scenario("other Python patch version", nothing, _other_interpreter, ALL),
)


def requirements(testmon: str) -> List[str]:
    return [f"pytest-testmon=={testmon}", "pytest-xdist"]


@dataclass
class Place:
    """A project and the venv that its tests run in."""

    venv: Venv
    project: Project

    @classmethod
    def make(cls, base: Venv, directory: Path) -> "Place":
        return cls(base.copy(directory / "venv"), Project.sample(directory / "project"))

    def copy(self, directory: Path) -> "Place":
        """Another place, as it is after the runs here."""
        shutil.copytree(self.project.path, directory / "project")
        return Place(self.venv.copy(directory / "venv"), Project(directory / "project"))

    def run(self, command: str, commands: Commands, workers: int) -> PytestResult:
        return self.project.run([command, "--testmon", "-n", str(workers)], self.venv.environment(commands))
