"""`run --datafile-from` and `store`: which data file a run starts from."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List

import pytest

from datafile_support import content
from support import Commands, Project, Venv
from test_merge import Suite

WITH_US = "testmon-precreate run -- pytest"


@pytest.fixture(scope="module")
def venv(venvs) -> Venv:
    return venvs.get("pytest-testmon==2.2.0", "pytest>=8,<9", "pytest-xdist>=3.8,<4")


@pytest.fixture
def suite(venv, commands, tmp_path) -> Suite:
    return Suite(venv, commands, tmp_path)


def git(project: Project, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.check_output(["git", *identity, *words], cwd=project.path, text=True).strip()


def commit(project: Project, *, empty: bool = False) -> str:
    if not empty:
        git(project, "add", "shop.py", "tests", "pytest.ini")
    git(project, "commit", "--quiet", "--allow-empty", "-m", "a commit")
    return git(project, "rev-parse", "HEAD")


@pytest.fixture
def repository(suite, project) -> Project:
    """The project after a whole run, in git."""
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(project)
    assert len(suite.run(project, command=WITH_US)) == 4
    return project


class Store:
    def __init__(self, directory: Path, venv: Venv, commands: Commands) -> None:
        self.directory, self.venv, self.commands = directory, venv, commands

    def call(self, action: str, project: Project, *arguments: str, **variables: str) -> str:
        environment = {
            name: value
            for name, value in self.venv.environment(self.commands, **variables).items()
            if name in variables or not name.startswith(("GITHUB_", "CI_", "CIRCLE_", "BUILDKITE_"))
        }
        words = [self.commands.precreate, "store", action, str(self.directory), *arguments]
        result = self.commands.run(*words, cwd=project.path, env=environment)
        assert result.returncode == 0, result.stderr
        assert "warning" not in result.stderr, result.stderr
        return result.stdout

    def files(self) -> List[Path]:
        return sorted(self.directory.glob("*/*.testmondata"))


@pytest.fixture
def store(venv, commands, tmp_path) -> Store:
    return Store(tmp_path / "store", venv, commands)


def run_from(suite: Suite, project: Project, *files: Path, arguments=(), **options) -> Dict[str, str]:
    names = " ".join(map(str, files))
    return suite.run(project, *arguments, command=f"testmon-precreate run --datafile-from {names} -- pytest", **options)


def test_the_best_data_file(suite, project, tmp_path):
    old = suite.machine("old", project.path)
    suite.run(old, command=WITH_US)
    project.edit_function(0)
    new = suite.machine("new", project.path)
    suite.run(new, command=WITH_US)
    before = content(old.datafile), content(new.datafile)
    missing = tmp_path / "missing"

    fresh = suite.machine("fresh", project.path)
    for arguments in (["--testmon-nocollect"], ["-n", "1"], []):
        assert run_from(suite, fresh, missing, old.datafile, new.datafile, arguments=arguments) == {}
    fresh.edit_function(1)
    assert len(run_from(suite, fresh, old.datafile, new.datafile, missing)) == 2
    # The project's own is the best one now, and nothing of it is lost.
    assert run_from(suite, fresh, old.datafile, new.datafile) == {}
    assert (content(old.datafile), content(new.datafile)) == before

    none = suite.machine("none", project.path)
    assert len(run_from(suite, none, missing)) == 4


def test_it_is_told_in_one_line(suite, project, venv, commands, tmp_path):
    suite.run(project, command=WITH_US)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"no data file" * 1000)
    fresh = suite.machine("fresh", project.path)
    words = ["testmon-precreate", "run", "--datafile-from", damaged, project.datafile, "--", "pytest", "--testmon"]
    result = fresh.run(words, venv.environment(commands))
    assert result.exit_code == 0
    assert f"starting from {project.datafile}: 4 of 4 tests are unaffected\n" in result.output
    assert result.output.count("testmon-precreate: ") == 2 + result.output.count("testmon-precreate: environment")


def test_the_nearest_ancestor(suite, repository, store, tmp_path):
    store.call("push", repository)
    first = git(repository, "rev-parse", "HEAD")
    repository.edit_function(0)
    second = commit(repository)
    assert len(suite.run(repository, command=WITH_US)) == 2
    store.call("push", repository)
    assert len(store.files()) == 2
    # A branch from the first commit, whose own data were not pushed yet.
    git(repository, "checkout", "--quiet", "-b", "feature", first)
    commit(repository, empty=True)
    machine = Suite.new_machine(tmp_path / "machine", repository.path)
    assert f"{first}, 1 commit before HEAD" in store.call("pull", machine)
    # Other users of the storage read them, too, as those that testmon makes.
    assert {file.stat().st_mode for file in [*store.files(), machine.datafile]} == {repository.datafile.stat().st_mode}
    assert suite.run(machine, command=WITH_US) == {}
    # Merged into main: the first parent is main's.
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "-m", "merge", "feature")
    merged = Suite.new_machine(tmp_path / "merged", repository.path)
    assert f"{second}, 1 commit before HEAD" in store.call("pull", merged)
    assert suite.run(merged, command=WITH_US) == {}
    # A history that has nothing in common with it: by the branch's name.
    git(repository, "checkout", "--quiet", "--orphan", "other")
    commit(repository)
    orphan = Suite.new_machine(tmp_path / "orphan", repository.path)
    assert "nothing is stored" in store.call("pull", orphan)
    assert f"{second}, the last one of branch main" in store.call("pull", orphan, GITHUB_REF_NAME="main")


def test_a_pull_request_pushes_nothing(repository, store):
    for variables in (
        {"GITHUB_EVENT_NAME": "pull_request"},
        {"CI_MERGE_REQUEST_IID": "3"},
        {"CIRCLE_PULL_REQUEST": "https://example.org/3"},
        {"BUILDKITE_PULL_REQUEST": "3"},
    ):
        assert "nothing is pushed" in store.call("push", repository, **variables)
    assert not store.directory.exists()
    store.call("push", repository, GITHUB_EVENT_NAME="push", BUILDKITE_PULL_REQUEST="false")
    store.call("push", repository, "--from-pull-request", CI_MERGE_REQUEST_IID="3")
    assert len(store.files()) == 2


def test_pushes_at_once_lose_nothing(suite, repository, store, tmp_path):
    """Such as those of four shards of one commit; the next pull gets them all."""
    repository.edit_function(0)
    repository.edit_function(1)
    commit(repository)
    machines, executed = [], 0
    for number in (1, 2):
        machine = Suite.new_machine(tmp_path / str(number), repository.path, repository.datafile)
        command = f"testmon-precreate run --shard {number}/2 -- pytest"
        executed += len(suite.run(machine, command=command))
        machines += [machine, machine]
    assert executed == 4
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda machine: store.call("push", machine), machines))
    assert len(store.files()) == 4 and not list(store.directory.glob("*/*.tmp"))
    fresh = Suite.new_machine(tmp_path / "fresh", repository.path)
    assert "pulled the data files of" in store.call("pull", fresh)
    assert suite.run(fresh, command=WITH_US) == {}


def test_bounds(repository, store, tmp_path):
    """Those go that were longest not used: by a pull as well as by a push."""
    commits = []
    for _ in range(3):
        commits.append(commit(repository, empty=True))
        store.call("push", repository)
    for age, file in enumerate(sorted(store.files(), key=lambda file: commits.index(file.name.split(".")[0]))):
        os.utime(file, (1000 + age, 1000 + age))
    machine = Suite.new_machine(tmp_path / "machine", repository.path)
    git(machine, "checkout", "--quiet", commits[0])
    assert f"{commits[0]}, 0 commits" in store.call("pull", machine)
    commits.append(commit(repository, empty=True))
    assert "2 older ones removed" in store.call("push", repository, "--most-files", "2")
    assert {file.name.split(".")[0] for file in store.files()} == {commits[0], commits[3]}
    store.call("push", repository, "--most-megabytes", "1")
    assert len(store.files()) == 3
