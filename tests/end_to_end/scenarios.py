"""What can happen between two runs of `pytest --testmon -n N`, and what each run must execute then.

The test matrix and the compatibility table walk the same scenarios, stock and with us.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Sequence

from support import Commands, Project, PytestResult, Venv

# Released versions that people run together with xdist, oldest first.
TESTMON_VERSIONS = ("2.1.0", "2.1.1", "2.1.3", "2.1.4", "2.2.0")

ALL = 4  # tests of the sample project


@dataclass(frozen=True)
class Scenario:
    """One change between two runs."""

    name: str
    prepare: Callable[[Venv], None]  # before the first run
    change: Callable[[Venv, Project], None]  # between the runs
    executed: int  # tests that the second run must execute


def _nothing(*_: object) -> None:
    pass


def _other_interpreter(_: Venv, project: Project) -> None:
    """The row as an interpreter of another patch version left it."""
    connection = sqlite3.connect(project.datafile)
    with connection:
        connection.execute("UPDATE environment SET python_version = '3.0.99'")
    connection.close()


SCENARIOS = (
    Scenario("first run", _nothing, lambda venv, project: project.datafile.unlink(), ALL),
    Scenario("no change", _nothing, _nothing, 0),
    Scenario("package added, sorts first", _nothing, lambda venv, _: venv.add_distribution("AAA-first", "1.0"), ALL),
    Scenario("package added, sorts last", _nothing, lambda venv, _: venv.add_distribution("zzz-last", "1.0"), ALL),
    Scenario(
        "package removed",
        lambda venv: venv.add_distribution("mmm-middle", "1.0"),
        lambda venv, _: venv.remove_distribution("mmm-middle"),
        ALL,
    ),
    Scenario("other Python patch version", _nothing, _other_interpreter, ALL),
)


def requirements(testmon: str) -> List[str]:
    return [f"pytest-testmon=={testmon}", "pytest-xdist"]


def stock_command(venv: Venv, commands: Commands) -> List[str]:
    return ["pytest"]


def our_command(venv: Venv, commands: Commands) -> List[str]:
    return [commands.wrapper]


@dataclass
class Outcome:
    """How one scenario went."""

    first: PytestResult
    second: PytestResult


def play(
    scenario: Scenario,
    base: Venv,
    directory: Path,
    commands: Commands,
    command: Callable[[Venv, Commands], Sequence[str]],
    workers: int,
    environment: Dict[str, str],
) -> Outcome:
    """Two runs in a new project and a venv of their own, with the scenario's change between them."""
    shutil.rmtree(directory, ignore_errors=True)
    venv = base.copy(directory / "venv")
    project = Project.sample(directory / "project")
    variables = venv.environment(commands, **environment)
    arguments = [*command(venv, commands), "--testmon", "-n", str(workers)]
    scenario.prepare(venv)
    first = project.run(arguments, variables)
    scenario.change(venv, project)
    second = project.run(arguments, variables)
    return Outcome(first, second)
