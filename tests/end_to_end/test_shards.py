"""Shards: machines that share what is affected, each with a copy of one data file, and what `merge` makes of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import pytest

from support import Project
from test_merge import Suite, check_integrity, edit
from test_real_projects import PROJECTS

RELEASES = ("2.1.3", "2.2.0")
# Of released packages: the first one, or as many as there are.
SUITES = PROJECTS[: int(os.environ.get("SHARDED_SUITES", "1"))]


class Shards:
    """A suite, run by several machines and by a single one beside them."""

    def __init__(self, suite: Suite, sources: Path, *arguments: str) -> None:
        self.suite, self.sources, self.arguments = suite, sources, arguments
        self.single = suite.machine("single", sources)
        self.merged: Optional[Path] = None
        self.rounds = 0

    def run_single(self) -> Dict[str, str]:
        return self.suite.run(self.single, *self.arguments, command="testmon-precreate run -- pytest")

    def run(self, count: int, *, without: Sequence[int] = ()) -> List[Dict[str, str]]:
        """What became of the tests of each shard. Their data files are merged into the next round's."""
        self.rounds += 1
        executed, machines = [], []
        for number in range(1, count + 1):
            name = f"{self.rounds}-{number}"
            machine = self.suite.machine(name, self.single.path, self.merged)
            command = f"testmon-precreate run --shard {number}/{count} -- pytest"
            executed.append(self.suite.run(machine, *self.arguments, command=command))
            machines.append(machine)
        target = self.suite.machine(f"{self.rounds}-merged", self.single.path, self.merged)
        base = ["--base", ".testmondata"] if self.merged else []
        left = [machine.datafile for i, machine in enumerate(machines) if i not in without]
        self.suite.merge(target, *base, *left)
        check_integrity(target.datafile)
        self.merged = target.datafile
        return executed

    def affected(self, datafile: Path, *arguments: str) -> Dict:
        """What `affected --json` says of this data file beside the sources."""
        environment = self.suite.venv.environment(self.suite.commands)
        words = ["affected", "--json", "--datafile", str(datafile), *arguments]
        commands = self.suite.commands
        result = commands.run(commands.precreate, *words, cwd=self.single.path, env=environment)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def knowledge(self, datafile: Path) -> List[tuple]:
        """All that decides what testmon selects: each test with its outcome and fingerprints. Not their files' hashes:
        those of tests that did not run are only as new as the file that `merge` took them from."""
        rows = Project(datafile.parent).rows(
            "SELECT e.environment_name, e.system_packages, t.test_name, t.failed, t.duration IS NULL,"
            " f.filename, f.fsha IS NULL, f.method_checksums FROM environment e"
            " JOIN test_execution t ON t.environment_id = e.id"
            " JOIN test_execution_file_fp d ON d.test_execution_id = t.id JOIN file_fp f ON f.id = d.fingerprint_id"
        )
        return sorted(rows, key=repr)

    def check(self, count: int) -> None:
        """A round of shards does together what a single run does."""
        alone, together = self.run_single(), self.run(count)
        names = [name for executed in together for name in executed]
        assert len(names) == len(set(names)), "a test ran twice"
        assert {name: outcome for executed in together for name, outcome in executed.items()} == alone
        assert self.knowledge(self.merged) == self.knowledge(self.single.datafile)


def suite_for(version: str, venvs, commands, directory: Path, *needs: str) -> Suite:
    venv = venvs.get(f"pytest-testmon=={version}", "pytest>=8,<9", "pytest-xdist>=3.8,<4", "pytest-split", *needs)
    return Suite(venv, commands, directory)


@pytest.fixture(params=RELEASES)
def shards(request, venvs, commands, tmp_path) -> Shards:
    project = Project.sample(tmp_path / "sources", test_files=6)
    return Shards(suite_for(request.param, venvs, commands, tmp_path), project.path, "-n", "1")


def test_rounds_of_shards(shards):
    """A first run, nothing, an edit, a new file, a deleted test, a deleted file, a failure, other packages."""
    project = shards.single
    shards.check(3)
    assert [len(executed) for executed in shards.run(3)] == [0, 0, 0]
    project.edit_function(0)
    shards.check(2)
    (project.path / "tests" / "test_new.py").write_text("def test_new():\n    pass\n")
    shards.check(3)
    test = project.path / "tests" / "test_price_1.py"
    test.write_text(test.read_text().replace("def test_none", "def test_nothing"))
    (project.path / "tests" / "test_price_2.py").unlink()
    shards.check(3)
    (project.path / "shop.py").write_text((project.path / "shop.py").read_text().replace("count * 4", "count * 5"))
    shards.check(2)
    shards.suite.venv = shards.suite.venv.copy(project.path.parent / "venv")
    shards.suite.venv.add_distribution("a-new-one", "1.0")
    shards.check(3)
