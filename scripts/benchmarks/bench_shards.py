"""Beyond one machine: `store pull` of the nearest among 1,000 commits with a data file each, beside git's own
`rev-list --first-parent`; and the plan of 5 shards of 50,000 tests, beside reading their names and durations in Python.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from measure import COMMANDS, Table, alternate, wall_seconds
from support import Project, clean_environment

COMMITS = 1_000
TESTS, FILES = 50_000, 5_000
ROUNDS = 7
READ = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT test_name, duration FROM test_execution').fetchall()"


def make_datafile(project: Project, tests: int) -> None:
    facts = '{"sys_path": [], "python_version": "3.11.7", "testmon_version": "2.2.0", "environment_name": "default"}'
    COMMANDS.run(COMMANDS.precreate, "prepare", "-q", "--process-facts", "-", cwd=project.path, input=facts).check_returncode()
    with closing(sqlite3.connect(project.datafile)) as connection, connection:
        connection.executemany(
            "INSERT INTO test_execution (environment_id, test_name, duration, failed) VALUES (1, ?, ?, 1)",
            ((f"tests/test_price_{i % FILES}.py::test_{i}", 0.01 + i % 97 / 100) for i in range(tests)),
        )
    COMMANDS.run(COMMANDS.precreate, "cleanup", "-q", cwd=project.path)


def measure_store(table: Table, directory: Path) -> None:
    project = Project.sample(directory / "stored")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    lines = "".join(
        f"commit refs/heads/main\ncommitter a <a@example.org> {i} +0000\ndata 1\nx\n" for i in range(1, COMMITS + 1)
    )
    subprocess.run([*git, "init", "--quiet", "--initial-branch", "main"], cwd=project.path, check=True)
    subprocess.run([*git, "fast-import", "--quiet"], cwd=project.path, input=lines, text=True, check=True)
    listing = [*git, "rev-list", "--first-parent", "main"]
    commits = subprocess.check_output(listing, cwd=project.path, text=True).split()
    make_datafile(project, 100)
    store = directory / "store" / "ci"
    store.mkdir(parents=True)
    for commit in commits[COMMITS // 2 :]:  # none of the younger half: a long way to go
        shutil.copy(project.datafile, store / f"{commit}.00000000.testmondata")
    for number in range(COMMITS // 2):  # and as many of other branches
        shutil.copy(project.datafile, store / f"{number:040x}.00000000.testmondata")

    def pull() -> float:
        project.datafile.unlink()
        words = [COMMANDS.precreate, "store", "pull", "--environment", "ci", str(store.parent)]
        return wall_seconds(words, cwd=project.path, env=clean_environment())

    times = alternate({"pull": pull, "git": lambda: wall_seconds(listing, cwd=project.path)}, ROUNDS)
    table.ratio("store pull among 1,000 commits / git rev-list", times["pull"], times["git"], None)
    table.value("store pull among 1,000 commits", max(times["pull"]), "s", 1)


def measure_plan(table: Table, directory: Path) -> None:
    project = Project.sample(directory / "planned", test_files=1)
    for number in range(FILES):
        (project.path / "tests" / f"test_price_{number}.py").write_text("def test():\n    pass\n")
    make_datafile(project, TESTS)
    words = [COMMANDS.precreate, "affected", "--plan", "--shard", "2/5"]
    times = alternate(
        {
            "plan": lambda: wall_seconds(words, cwd=project.path, env=clean_environment()),
            "python": lambda: wall_seconds(["python3", "-c", READ, project.datafile]),
        },
        ROUNDS,
    )
    table.ratio("plan of 5 shards, 50,000 tests / reading them in Python", times["plan"], times["python"], None)


def main() -> None:
    table = Table("Beyond one machine")
    with tempfile.TemporaryDirectory() as directory:
        measure_store(table, Path(directory))
        measure_plan(table, Path(directory))


if __name__ == "__main__":
    main()
