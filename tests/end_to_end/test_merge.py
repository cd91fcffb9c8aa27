"""`merge`: the data files of real shards of a real suite, and what testmon does with the result."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from datafile_support import content
from support import Project, chosen_seed
from test_real_projects import outcomes
from test_recipes import run_shell, shell_part

SHARDS = 4
MODULE = "sqlparse/utils.py"


class Suite:
    """The tests of a released package, in one directory a machine."""

    def __init__(self, venv, commands, directory: Path) -> None:
        self.venv, self.commands, self.directory = venv, commands, directory

    @staticmethod
    def new_machine(directory: Path, sources: Path, datafile: Optional[Path] = None) -> Project:
        project = Project(directory)
        shutil.copytree(sources, project.path, ignore=shutil.ignore_patterns(".testmondata*", "report.xml"))
        if datafile:
            shutil.copy(datafile, project.datafile)
        return project

    def machine(self, name: str, sources: Path, datafile: Optional[Path] = None) -> Project:
        return self.new_machine(self.directory / name, sources, datafile)

    def run(self, project: Project, *arguments: str, command: str = "pytest") -> Dict[str, str]:
        """What became of each test that ran."""
        environment = self.venv.environment(self.commands, PYTHONPATH=str(project.path))
        report = project.path / "report.xml"
        words = [*command.split(), "--testmon", "-q", f"--junitxml={report}", *arguments]
        result = project.run(words, environment, timeout=600)
        assert result.exit_code in (0, 1, 5), result.output
        return outcomes(report)

    def merge(self, project: Project, *arguments) -> str:
        environment = self.venv.environment(self.commands)
        result = self.commands.run(self.commands.precreate, "merge", *arguments, cwd=project.path, env=environment)
        assert result.returncode == 0, result.stderr
        return result.stdout


def edit(project: Project, text: str = "added_by_an_edit") -> None:
    """A new function: what depends on the module has to run."""
    module = project.path / MODULE
    module.write_text(module.read_text() + f"\n\ndef {text}():\n    return 1\n")


def ways_to_split(project: Project) -> Dict[str, List[List[str]]]:
    """The arguments of each shard, for each way."""
    files = sorted(str(path.relative_to(project.path)) for path in project.path.glob("tests/test_*.py"))
    return {
        "files": [files[shard::SHARDS] for shard in range(SHARDS)],
        "overlapping": [files[shard::SHARDS] + files[:2] for shard in range(SHARDS)],
        "pytest-split": [["--splits", str(SHARDS), "--group", str(shard + 1)] for shard in range(SHARDS)],
    }


def check_integrity(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "version, way, base",
    [
        ("2.1.3", "files", "into the base"),
        ("2.1.3", "pytest-split", "no base"),
        ("2.2.0", "files", "into the base"),
        ("2.2.0", "overlapping", "base"),
        ("2.2.0", "pytest-split", "no base"),
    ],
)
def test_shards_of_a_real_suite(way, version, base, venvs, commands, tmp_path):
    venv = venvs.get(f"pytest-testmon=={version}", "pytest>=8,<9", "pytest-xdist>=3.8,<4", "pytest-split")
    suite = Suite(venv, commands, tmp_path)
    sources = venvs.sdist("sqlparse==0.5.1")
    single = suite.machine("single", sources)
    if base != "no base":
        assert len(suite.run(single)) >= 400
    started_from = tmp_path / "started-from"
    if single.datafile.exists():
        shutil.copy(single.datafile, started_from)
    edit(single)
    everything = suite.run(single)
    assert len(everything) >= 100

    executed: Dict[str, str] = {}
    machines = []
    for number, arguments in enumerate(ways_to_split(single)[way]):
        start = started_from if base != "no base" else None
        machines.append(suite.machine(f"shard-{number}", single.path, start))
        executed.update(suite.run(machines[-1], *arguments))
    assert set(executed) == set(everything)

    merged = suite.machine("merged", single.path, started_from if base == "into the base" else None)
    options = {
        "no base": [],
        "base": ["--base", str(started_from)],
        "into the base": ["--base", ".testmondata"],
    }[base]
    suite.merge(merged, *options, *(machine.datafile for machine in machines))
    check_integrity(merged.datafile)
    assert suite.run(merged) == {}  # the suite has no failing tests

    for project in (single, merged):
        edit(project, "another_edit")
    expected = suite.run(single)
    assert len(expected) >= 100
    assert suite.run(merged) == expected
    assert suite.run(merged) == {}


@pytest.fixture(params=["2.1.3", "2.2.0"])
def suite(request, venvs, commands, tmp_path) -> Suite:
    """For the sample project of support.Project."""
    venv = venvs.get(f"pytest-testmon=={request.param}", "pytest>=8,<9", "pytest-xdist>=3.8,<4")
    return Suite(venv, commands, tmp_path)


@pytest.fixture
def main_branch(suite, project) -> Project:
    """The project after a whole run."""
    assert len(suite.run(project)) == 4
    return project


def names(executed: Dict[str, str]) -> List[str]:
    return sorted(executed)


def test_a_package_change_in_between(suite, main_branch, tmp_path):
    suite.venv = suite.venv.copy(tmp_path / "venv")
    suite.venv.add_distribution("a-new-one", "1.0")
    shards = [suite.machine(f"shard-{i}", main_branch.path, main_branch.datafile) for i in range(2)]
    for i, shard in enumerate(shards):
        command = "testmon-precreate run -- pytest -n 1"
        assert len(suite.run(shard, f"tests/test_price_{i}.py", command=command)) == 2
    suite.merge(main_branch, "--base", ".testmondata", *(shard.datafile for shard in shards))
    assert suite.run(main_branch) == {}
    suite.venv.remove_distribution("a-new-one")  # the old environment is still known
    assert suite.run(main_branch, command="testmon-precreate run -- pytest -n 1") == {}


def test_a_stale_shard_makes_nothing_stable_that_must_run(suite, main_branch):
    stale = suite.machine("stale", main_branch.path, main_branch.datafile)
    main_branch.edit_function(0)
    module = main_branch.path / "shop.py"
    module.write_text(module.read_text().replace("return factor * count", "return factor * count + 1"))
    ran = suite.run(main_branch)
    assert sorted(ran.values()) == ["failure", "failure"]
    fresh = suite.machine("fresh", main_branch.path)
    suite.merge(fresh, main_branch.datafile)
    suite.merge(fresh, stale.datafile)
    assert names(suite.run(fresh)) == names(ran)
    # Nor if the code comes to be what it was when the stale one ran, and then changes again.
    other_way = suite.machine("other-way", main_branch.path, stale.datafile)
    suite.merge(other_way, main_branch.datafile)
    assert names(suite.run(other_way)) == names(ran)


def test_a_failure_stays_until_a_later_execution(suite, main_branch):
    """One that no file under testmon's eyes explains: nothing but the base tells that a pass came later."""
    test = main_branch.path / "tests" / "test_price_0.py"
    test.write_text("import os\n" + test.read_text() + "    assert not os.path.exists('broken')\n")
    (main_branch.path / "broken").touch()
    assert "failure" in suite.run(main_branch).values()
    start = main_branch.datafile
    passing, other = (suite.machine(name, main_branch.path, start) for name in ("passing", "other"))
    (passing.path / "broken").unlink()
    assert list(suite.run(passing).values()) == ["passed"]
    suite.run(other, "tests/test_price_1.py")

    without = suite.machine("without-base", passing.path)
    suite.merge(without, passing.datafile, other.datafile)
    assert list(suite.run(without).values()) == ["passed"]  # it runs once more, to be sure
    with_base = suite.machine("with-base", passing.path)
    suite.merge(with_base, "--base", start, other.datafile, passing.datafile)
    assert suite.run(with_base) == {}
    unfixed = suite.machine("unfixed", main_branch.path)
    suite.merge(unfixed, "--base", start, other.datafile)
    assert list(suite.run(unfixed).values()) == ["failure"]


def test_a_deleted_test_does_not_come_back(suite, main_branch):
    start, into_base = (suite.machine(name, main_branch.path, main_branch.datafile) for name in ("start", "into-base"))
    (main_branch.path / "tests" / "test_price_1.py").unlink()
    assert suite.run(main_branch) == {}
    count = "SELECT count(*) FROM test_execution"
    assert main_branch.rows(count) == [(2,)]
    suite.merge(into_base, "--base", ".testmondata", main_branch.datafile)
    assert into_base.rows(count) == [(2,)]
    suite.merge(main_branch, start.datafile)  # without a base it comes back until the next whole run
    assert main_branch.rows(count) == [(4,)]
    assert suite.run(main_branch) == {}
    assert main_branch.rows(count) == [(2,)]


def test_what_the_command_says(suite, main_branch, commands, tmp_path):
    def merge(*arguments: str, exit_code: int = 0) -> subprocess.CompletedProcess:
        environment = suite.venv.environment(commands)
        result = commands.run(commands.precreate, "merge", *arguments, cwd=main_branch.path, env=environment)
        assert result.returncode == exit_code, result.stdout + result.stderr
        return result

    shutil.copy(main_branch.datafile, main_branch.path / "one")
    (main_branch.path / "empty").touch()
    before = content(main_branch.datafile)
    for bad, reason in (
        ("empty", "is empty"),
        ("tests", "is a directory"),
        ("shards/*/.testmondata", "does not exist: the pattern matches nothing"),
        (".testmondata", "is the file that is merged into"),
    ):
        failed = merge("one", bad, exit_code=8)
        assert f"error: 1 of 2 files cannot be merged: {bad} {reason}" in failed.stderr, failed.stderr
        assert "--skip-damaged" in failed.stderr
        skipped = merge("one", bad, "--skip-damaged")
        assert f"warning: left out: {bad} {reason}" in skipped.stderr
        assert content(main_branch.datafile) == before

    assert merge("one", "--into", "new", "--dry-run").stdout == (
        "one: 4 tests, 4 new, 0 newer, 0 ignored\nnew: 4 tests, a new file (nothing was written)\n"
    )
    assert not (main_branch.path / "new").exists()
    assert "4 tests, a new file\n" in merge("one", "--into", "new").stdout
    assert merge("one", "-q").stdout == ""
    report = json.loads(merge("one", "empty", "--skip-damaged", "--json").stdout)
    assert report["database_path"] == str(main_branch.datafile)
    assert (report["tests"], report["dropped"], report["created"]) == (4, 0, False)
    assert report["inputs"] == [
        {"path": "one", "problem": None, "tests": 4, "new": 0, "newer": 0, "ignored": 4},
        {"path": "empty", "problem": "is empty", "tests": 0, "new": 0, "newer": 0, "ignored": 0},
    ]
    assert "cannot be merged" in merge("empty", exit_code=8).stderr
    merge(exit_code=2)

    other = Project.sample(tmp_path / "other")
    for path in (other.path / "tests").iterdir():
        path.rename(path.with_name(path.name.replace("price", "cost")))
    (other.path / "shop.py").rename(other.path / "store.py")
    for path in (other.path / "tests").glob("test_*.py"):
        path.write_text(path.read_text().replace("shop", "store"))
    assert len(suite.run(other)) == 4
    assert "is another project's" in merge("one", str(other.datafile), exit_code=8).stderr
    assert "7 tests" not in merge("one", str(other.datafile), "--any-project", "--into", "both").stdout


def test_not_while_a_run_is_at_work(suite, main_branch, commands):
    shutil.copy(main_branch.datafile, main_branch.path / "one")
    environment = suite.venv.environment(commands)
    with subprocess.Popen(["sleep", "60"]) as controller:
        try:
            for words, exit_code in (
                (["prepare", "-q", "--controller-pid", str(controller.pid)], 0),
                (["merge", "one"], 9),
                (["merge", "one", "--dry-run"], 0),
                (["merge", "one", "--force"], 0),
                (["merge", "one", "--into", "elsewhere"], 0),
            ):
                result = commands.run(commands.precreate, *words, cwd=main_branch.path, env=environment)
                assert result.returncode == exit_code, (words, result.stderr)
        finally:
            controller.kill()


def test_killed_at_any_moment(suite, main_branch, commands):
    """The target is what it was or what it becomes, whenever the process dies."""
    seed = chosen_seed()
    chance = random.Random(seed)
    many = main_branch.path / "many"
    shutil.copy(main_branch.datafile, many)
    with closing(sqlite3.connect(many)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            " INSERT INTO test_execution SELECT 100 + i, 1, 'test_' || i, 0.5, 0, 0 FROM n"
        )
        connection.execute(
            "INSERT INTO test_execution_file_fp SELECT t.id, f.id FROM test_execution t,"
            " (SELECT max(id) AS id FROM file_fp) f WHERE t.id > 100"
        )
    command = [commands.precreate, "merge", "-q", "many"]
    target = main_branch.path / "target"

    def merge_into(start: Optional[Path], kill_after: Optional[float]) -> object:
        for path in main_branch.path.glob("target*"):
            path.unlink()
        if start:
            shutil.copy(start, target)
        environment = suite.venv.environment(commands)
        with subprocess.Popen([*command, "--into", "target"], cwd=main_branch.path, env=environment) as process:
            if kill_after is not None:
                time.sleep(kill_after)
                process.kill()
        return content(target)

    for start in (None, main_branch.datafile):
        begin = time.perf_counter()
        after = merge_into(start, None)
        duration = time.perf_counter() - begin
        before = content(start) if start else None
        assert after != before
        seen = [merge_into(start, chance.uniform(0, duration)) for _ in range(12)]
        assert all(state in (before, after) for state in seen), f"seed {seed}"


def test_recipe_of_two_developers(suite, main_branch):
    mine, yours = (suite.machine(name, main_branch.path, main_branch.datafile) for name in ("mine", "colleague"))
    for project in (mine, yours):
        project.edit_function(0)
    assert len(suite.run(yours)) == 2
    run_shell(shell_part("two-developers"), mine, suite.venv.environment(suite.commands))
    assert suite.run(mine) == {}
