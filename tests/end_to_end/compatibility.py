"""The compatibility table: releases that fit together, stock beside ours, in the situations that matter.

    python compatibility.py [--only TEXT] [--render]

Every finished cell is kept in build/compatibility.json and not run again until the file is removed; --render only
writes what is there into the README, --only takes the rows whose name holds TEXT.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Sequence

from pythons import pythons
from scenarios import ALL, SCENARIOS, Scenario
from support import Commands, Project, PytestResult, Venv, Venvs

SOURCE = Path(__file__).resolve().parents[2]
RESULTS = SOURCE / "build" / "compatibility.json"
BEGIN, END = "<!-- compatibility table: begin -->", "<!-- compatibility table: end -->"
CHANGES = tuple(scenario for scenario in SCENARIOS if scenario.name not in ("first run", "no change"))
SITUATIONS = ("first run", "no change", "nocollect", *(change.name for change in CHANGES), "drift", "four projects")


@dataclass(frozen=True)
class Releases:
    testmon: str
    pytest: str
    xdist: str
    python: str

    @property
    def name(self) -> str:
        return f"{self.testmon} | {self.pytest} | {self.xdist} | {self.python}"

    @property
    def requirements(self) -> List[str]:
        return [f"pytest-testmon=={self.testmon}", f"pytest=={self.pytest}.*", f"pytest-xdist=={self.xdist}.*"]


# Each testmon with the oldest and the newest pytest, xdist and Python that it goes with: 2.1.0 needs pytest
# below 8, 2.1.x pytest below 9, 2.2.0 Python from 3.10 on; Python 3.8 ends with pytest 8.3 and xdist 3.6.
RELEASES = (
    Releases("2.1.0", "7.0", "3.0", "3.8"),
    Releases("2.1.0", "7.4", "3.6", "3.11"),
    Releases("2.1.1", "7.4", "3.3", "3.9"),
    Releases("2.1.1", "8.3", "3.6", "3.12"),
    Releases("2.1.3", "7.4", "3.5", "3.8"),
    Releases("2.1.3", "8.4", "3.8", "3.13"),
    Releases("2.1.4", "8.3", "3.6", "3.10"),
    Releases("2.1.4", "8.4", "3.8", "3.13"),
    Releases("2.2.0", "7.4", "3.5", "3.10"),
    Releases("2.2.0", "8.4", "3.8", "3.12"),
    Releases("2.2.0", "9.0", "3.8", "3.11"),
    Releases("2.2.0", "9.0", "3.8", "3.13"),
    Releases("2.2.0", "9.2", "3.8", "3.13"),
)


def verdict(result: PytestResult, executed: int) -> str:
    """One or two words for the table; `ok` if just the right tests ran."""
    if result.readonly_error:
        return "readonly error"
    if "database is locked" in result.output:
        return "locked"
    if result.exit_code != 0:
        return f"exit {result.exit_code}"
    if "testmon-precreate: " in result.output:
        return "warning"
    return "ok" if result.passed == executed else f"runs {result.passed} of {executed}"


class Cell:
    """One set of releases, one number of workers, stock or ours."""

    def __init__(self, base: Venv, command: Sequence[str], commands: Commands, workers: int, scratch: Path) -> None:
        self.venv = base.copy(scratch / "venv")
        self.environment = self.venv.environment(commands)
        self.arguments = [*command, "--testmon", "-n", str(workers)]
        self.scratch = scratch

    def run(self, project: Project, *more: str) -> PytestResult:
        return project.run([*self.arguments, *more], self.environment, timeout=600)

    def verdicts(self) -> Dict[str, str]:
        found = {}
        project = Project.sample(self.scratch / "project")
        found["first run"] = verdict(self.run(project), ALL)
        found["no change"] = verdict(self.run(project), 0)
        project.edit_function(0)
        found["nocollect"] = verdict(self.run(project, "--testmon-nocollect"), 2)
        for change in CHANGES:
            found[change.name] = self.change(change)
        found["drift"] = self.drift()
        found["four projects"] = self.four_projects()
        return found

    def change(self, scenario: Scenario) -> str:
        """In a project of its own: what a failed run leaves does not touch the next change."""
        project = Project.sample(self.scratch / scenario.name.replace(" ", "-"))
        scenario.prepare(self.venv)
        self.run(project)
        scenario.change(self.venv, project)
        return verdict(self.run(project), scenario.executed)

    def drift(self) -> str:
        """A conftest shows the workers a distribution that the controller does not see."""
        project = Project.sample(self.scratch / "drift")
        elsewhere = self.scratch / "elsewhere" / "drift-1.0.dist-info"
        elsewhere.mkdir(parents=True)
        (elsewhere / "METADATA").write_text("Metadata-Version: 2.1\nName: drift\nVersion: 1.0\n")
        (project.path / "conftest.py").write_text(
            f"import os, sys\nif 'PYTEST_XDIST_WORKER' in os.environ:\n    sys.path.insert(0, {str(elsewhere.parent)!r})\n"
        )
        first = verdict(self.run(project), ALL)
        return first if first != "ok" else verdict(self.run(project), 0)

    def four_projects(self) -> str:
        projects = [Project.sample(self.scratch / f"project{i}") for i in range(4)]
        processes = [
            subprocess.Popen(
                self.arguments, cwd=project.path, env=self.environment, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
            for project in projects
        ]
        outputs = [process.communicate(timeout=600)[0] for process in processes]
        results = [PytestResult(process.returncode, output) for process, output in zip(processes, outputs)]
        verdicts = [verdict(result, ALL) for result in results]
        return next((one for one in verdicts if one != "ok"), "ok")


def play(releases: Releases, workers: int, ours: bool, commands: Commands, venvs: Venvs) -> Dict[str, str]:
    base = venvs.get(*releases.requirements, python=pythons()[releases.python])
    command = [commands.wrapper] if ours else ["pytest"]
    scratch = Path(tempfile.mkdtemp(prefix="compatibility-"))
    try:
        return Cell(base, command, commands, workers, scratch).verdicts()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def render(results: Dict[str, Dict[str, str]]) -> str:
    """A row a set of releases and number of workers; a cell says `ok`, or what stock does and then ours."""
    lines = [
        "Stock testmon → with testmon-precreate; one word if both do the same. `ok`: exit code 0 and just the right tests ran.",
        "",
        "| testmon | pytest | xdist | Python | `-n` | " + " | ".join(SITUATIONS) + " |",
        "| --- | --- | --- | --- | --- |" + " --- |" * len(SITUATIONS),
    ]
    for releases in RELEASES:
        for workers in (2, 8):
            stock = results.get(f"{releases.name} | {workers} | stock")
            ours = results.get(f"{releases.name} | {workers} | ours")
            if stock is None or ours is None:
                continue
            cells = [
                stock[one] if stock[one] == ours[one] else f"{stock[one]} → **{ours[one]}**" for one in SITUATIONS
            ]
            lines.append(f"| {releases.name} | {workers} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def write_into_readme(table: str) -> None:
    readme = SOURCE / "README.md"
    text = readme.read_text()
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    assert pattern.search(text), "README.md has lost its markers"
    readme.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT")
    parser.add_argument("--render", action="store_true")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not options.render:
        build = Path(os.environ.get("TESTMON_PRECREATE_BUILD", SOURCE / "build" / "release")).resolve()
        commands, venvs = Commands(build, SOURCE), Venvs(SOURCE / "build" / "venvs")
        for workers in (2, 8):
            for releases in RELEASES:
                if options.only not in releases.name or releases.python not in pythons():
                    continue
                for ours in (False, True):
                    key = f"{releases.name} | {workers} | {'ours' if ours else 'stock'}"
                    if key not in results:
                        results[key] = play(releases, workers, ours, commands, venvs)
                        print(key, results[key], flush=True)
                        RESULTS.write_text(json.dumps(results, indent=1))
    write_into_readme(render(results))
    bad = [key for key, cells in results.items() if key.endswith("ours") and set(cells.values()) != {"ok"}]
    for key in bad:
        print(f"not ok with us: {key}: {results[key]}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
