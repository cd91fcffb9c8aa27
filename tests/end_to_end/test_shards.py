"""Shards: machines that share what is affected, each with a copy of one data file, and what `merge` makes of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import pytest

from support import Project
from test_merge import Suite, check_integrity
from test_real_projects import PROJECTS

RELEASES = ("2.1.3", "2.2.0")
# How many of the released packages' suites are run by shards, with both releases of testmon and after all changes; by
# default it is one, with one release and one change.
SHARDED_SUITES = int(os.environ.get("SHARDED_SUITES", "0"))


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

    def counters(self, datafile: Path) -> Dict[str, int]:
        """Of tests run and saved, over all runs. Those of seconds differ as the seconds do."""
        rows = Project(datafile.parent).rows("SELECT dataid, data FROM metadata WHERE dataid LIKE 'None:tests_%'")
        return {name: int(value) for name, value in rows}

    def check(self, count: int, *, same_order: bool = True) -> None:
        """A round of shards does together what a single run does. What of the code a test executes may depend on what
        ran before it in its process, so `same_order` says whether the fingerprints are to be compared."""
        alone, together = self.run_single(), self.run(count)
        names = [name for executed in together for name in executed]
        assert len(names) == len(set(names)), "a test ran twice"
        assert {name: outcome for executed in together for name, outcome in executed.items()} == alone
        merged, single = self.knowledge(self.merged), self.knowledge(self.single.datafile)
        if not same_order:
            merged, single = ({row[:5] for row in rows} for rows in (merged, single))
        assert merged == single
        assert self.counters(self.merged) == self.counters(self.single.datafile)


def suite_for(version: str, venvs, commands, directory: Path, *needs: str) -> Suite:
    venv = venvs.get(f"pytest-testmon=={version}", "pytest>=8,<9", "pytest-xdist>=3.8,<4", "pytest-split", *needs)
    return Suite(venv, commands, directory)


@pytest.fixture
def shards(request, venvs, commands, tmp_path) -> Shards:
    project = Project.sample(tmp_path / "sources", test_files=6)
    version = getattr(request, "param", "2.2.0")
    return Shards(suite_for(version, venvs, commands, tmp_path), project.path, "-n", "1")


@pytest.mark.slow
@pytest.mark.parametrize("shards", RELEASES, indirect=True)
def test_rounds_of_shards(shards):
    """A first run; an edit, a failure, a new file, a deleted file and a test with another name; other packages."""
    project = shards.single
    shards.check(3)
    project.edit_function(0)
    module = project.path / "shop.py"
    module.write_text(module.read_text().replace("count * 4", "count * 5"))
    (project.path / "tests" / "test_new.py").write_text("def test_new():\n    pass\n")
    (project.path / "tests" / "test_price_2.py").unlink()
    test = project.path / "tests" / "test_price_1.py"
    test.write_text(test.read_text().replace("def test_none", "def test_nothing"))
    shards.check(3)
    shards.suite.venv = shards.suite.venv.copy(project.path.parent / "venv")
    shards.suite.venv.add_distribution("a-new-one", "1.0")
    shards.check(2)


@pytest.mark.parametrize("shards", ["2.1.3"], indirect=True)
def test_a_shard_that_is_lost(shards):
    """What it would have run stays affected, also a test in a file whose other tests are not."""
    project = shards.single
    for number in range(1, 6):  # each file now has a test of what is edited and one of what is not
        test = project.path / "tests" / f"test_price_{number}.py"
        test.write_text(test.read_text().replace(f"assert shop.price_{number}(0)", "assert shop.price_0(0)"))
    shards.check(2)
    project.edit_function(0)
    alone = shards.run_single()
    together = shards.run(3, without=[1])
    assert together[1] and sum(map(len, together)) == len(alone) == 7
    again = shards.run(2)
    assert {name for executed in again for name in executed} == set(together[1])


def test_named_files_and_a_second_directory(shards):
    """Files that the command line names are not ignored by pytest, and still belong to one shard each."""
    names = sorted(f"tests/{path.name}" for path in (shards.single.path / "tests").glob("test_*.py"))
    shards.arguments = (*names[:3], "-n", "0")
    shards.check(2)
    shards.arguments = ()
    shards.check(2)


def test_nothing_to_do(shards):
    """No worker starts, and the exit code is 0, not pytest's 5."""
    shards.run_single()
    command = shards.suite.commands.precreate
    environment = shards.suite.venv.environment(shards.suite.commands, TESTMON_XDIST_SHARD="2/2")
    result = shards.single.run([command, "run", "--", "pytest", "--testmon", "-n", "2"], environment)
    assert result.exit_code == 0
    assert "testmon-precreate: shard 2/2: nothing to run" in result.output
    assert "2 workers" not in result.output and "bringing up nodes" not in result.output


@pytest.mark.parametrize("dist", ["loadfile", "loadgroup"])
def test_what_belongs_together_stays_together(dist, venvs, commands, tmp_path):
    project = Project.sample(tmp_path / "sources", test_files=1)
    group = "@pytest.mark.xdist_group('one')\n"
    for name in "abcd":
        (project.path / "tests" / f"test_{name}.py").write_text(
            f"import pytest, time, shop\n\n\n{group}def test_in_group():\n    shop.price_0(1)\n    time.sleep(0.1)\n\n\n"
            "def test_alone():\n    shop.price_0(1)\n    time.sleep(0.02)\n"
        )
    shards = Shards(suite_for("2.2.0", venvs, commands, tmp_path), project.path, "-n", "1", "--dist", dist)
    # What is in a group is known when the tests were recorded with it.
    shards.run_single()
    shards.merged = shards.single.path.parent / "recorded"
    shutil.copy(shards.single.datafile, shards.merged)
    project = shards.single
    project.edit_function(0)
    together = shards.run(2)
    assert all(together) and len({name for executed in together for name in executed}) == 10
    by_file = [{name.split("::")[0] for name in executed} for executed in together]
    grouped = [any("test_in_group" in name for name in executed) for executed in together]
    if dist == "loadfile":
        assert not by_file[0] & by_file[1]
    else:
        assert sorted(grouped) == [False, True]


def test_a_slow_file_is_cut(venvs, commands, tmp_path):
    """Unless it has to stay whole."""
    project = Project.sample(tmp_path / "sources", test_files=1)
    (project.path / "tests" / "test_slow.py").write_text(
        "import pytest, shop\n\n\n@pytest.mark.parametrize('i', range(30))\n"
        "def test_slow(i):\n    shop.price_0(1)\n    sum(range(2_000_000))\n"
    )
    shards = Shards(suite_for("2.2.0", venvs, commands, tmp_path), project.path)
    shards.run_single()
    shards.single.edit_function(0)
    seconds = json.loads(plan_of(shards, "1/3"))["seconds"]
    assert max(seconds) < 1.1 * sum(seconds) / 3
    shards.merged = tmp_path / "base"
    shutil.copy(shards.single.datafile, shards.merged)
    shards.check(3)
    seconds = json.loads(plan_of(shards, "1/3", "--", "--dist", "loadfile"))["seconds"]
    assert sum(second > 0 for second in seconds) <= 2


def plan_of(shards: Shards, shard: str, *arguments: str) -> str:
    environment = shards.suite.venv.environment(shards.suite.commands)
    commands = shards.suite.commands
    words = [commands.precreate, "affected", "--plan", "--shard", shard, *arguments]
    result = commands.run(*words, cwd=shards.single.path, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("version", RELEASES if SHARDED_SUITES else RELEASES[1:])
@pytest.mark.parametrize("released", PROJECTS[: SHARDED_SUITES or 1], ids=lambda released: released.requirement)
def test_a_real_suite(released, version, venvs, commands, tmp_path):
    """3 and 5 shards: a first run, an edit, other packages."""
    suite = suite_for(version, venvs, commands, tmp_path, *released.needs)
    suite.venv = suite.venv.copy(tmp_path / "venv")
    shards = Shards(suite, venvs.sdist(released.requirement), "-n", "2")
    shards.check(3, same_order=False)
    module = shards.single.path / released.module
    for number in range(2 if SHARDED_SUITES else 1):
        module.write_text(module.read_text() + f"\n\ndef added_{number}():\n    return 1\n")
        seconds = json.loads(plan_of(shards, "1/5"))["seconds"]
        print(f"{released.requirement}: the fullest of 5 shards is at {max(seconds) / sum(seconds) * 5:.3f} of the mean")
        shards.check((5, 3)[number], same_order=False)
    if not SHARDED_SUITES:
        return
    suite.venv.add_distribution("a-new-one", "1.0")
    shards.check(5, same_order=False)
