"""Suites of released packages, as their source distributions ship them: with us and -n 4 as stock in one process."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Tuple

import pytest

from support import Project


@dataclass(frozen=True)
class Released:
    requirement: str
    sources: str  # the directory that goes on PYTHONPATH
    module: str  # the one that is edited
    needs: Tuple[str, ...] = ()
    tests: int = 100  # at least


PROJECTS = (
    Released("sqlparse==0.5.1", ".", "sqlparse/utils.py"),
    Released("itsdangerous==2.2.0", "src", "src/itsdangerous/timed.py", ("freezegun",)),
    Released("cachetools==5.5.0", "src", "src/cachetools/keys.py"),
    Released("toolz==1.0.0", ".", "toolz/recipes.py"),
    Released("pluggy==1.5.0", "src", "src/pluggy/_result.py"),
    Released("click==8.1.7", "src", "src/click/globals.py"),
    Released("attrs==24.2.0", "src", "src/attr/filters.py", ("hypothesis",), 1000),
)


def outcomes(report: Path) -> Dict[str, str]:
    """What became of each test."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[f"{case.get('classname')}::{case.get('name')}"] = kinds[0] if kinds else "passed"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("released", PROJECTS, ids=lambda released: released.requirement)
def test_suite_of_a_released_package(released, venvs, commands, tmp_path):
    venv = venvs.get("pytest-testmon==2.2.0", "pytest>=8,<9", "pytest-xdist>=3.8,<4", *released.needs)
    ours, single = tmp_path / "ours", tmp_path / "single"
    for directory in (ours, single):
        shutil.copytree(venvs.sdist(released.requirement), directory)

    def run(directory: Path, command: List[str], workers: int) -> Dict[str, str]:
        environment = venv.environment(commands, PYTHONPATH=str(directory / released.sources))
        report = directory / "report.xml"
        arguments = ["--testmon", "-n", str(workers), "-q", f"--junitxml={report}"]
        result = Project(directory).run([*command, *arguments], environment, timeout=600)
        assert result.exit_code in (0, 1), result.output
        assert "precreate" not in result.output, result.output
        return outcomes(report)

    first = run(ours, [commands.wrapper], 4)
    assert first == run(single, ["pytest"], 0)
    assert len(first) >= released.tests
    again = run(ours, [commands.wrapper], 4)
    assert "passed" not in again.values()  # testmon runs tests that failed again each time

    for directory in (ours, single):
        module = directory / released.module
        module.write_text(module.read_text() + "\n\ndef added_by_an_edit():\n    return 1\n")
    with_us, alone = run(ours, [commands.wrapper], 4), run(single, ["pytest"], 0)
    assert with_us == alone
