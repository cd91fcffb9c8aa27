"""The data file and the system around it: nothing written if nothing may be, locks, disks, many processes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Iterator, List

import pytest

from datafile_support import Driver, add_tests, content, run, visible
from namespaces import namespace
from support import clean_environment

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")

WRITING_CALLS = (
    "trace=openat,open,creat,pwrite64,pwritev,writev,ftruncate,truncate,fallocate,fsync,fdatasync,link,linkat,rename,"
    "renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,chmod,fchmod,fchmodat,utimensat,symlink,symlinkat"
)


@pytest.fixture
def driver(commands) -> Driver:
    return Driver(commands)


@pytest.fixture
def facts(tmp_path):
    """Process facts of a live pytest with some distributions; returns the file's path."""

    def write(*distributions: str) -> Path:
        site = tmp_path / "-".join(("site", *distributions))
        for name in distributions:
            directory = site / f"{name}-1.0.dist-info"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file = tmp_path / f"{site.name}.json"
        file.write_text(
            json.dumps(
                {
                    "sys_path": [str(site)],
                    "python_version": "3.11.7",
                    "testmon_version": "2.1.3",
                    "environment_name": "default",
                    "ignore_dependencies": [],
                }
            )
        )
        return file

    return write


@pytest.fixture
def prepare(commands, project):
    """Runs `testmon-precreate prepare` with facts; starts no interpreter."""

    def run_prepare(facts_file: Path, *options: str, **arguments) -> subprocess.CompletedProcess:
        return commands.run(
            commands.precreate, "prepare", "--process-facts", facts_file, *options, cwd=project.path, **arguments
        )

    return run_prepare


def refused(result: subprocess.CompletedProcess, *words: str) -> str:
    """A refusal as the contract has it: exit code 8, one line that says what, where and what to do."""
    assert result.returncode == 8, result.stdout + result.stderr
    (line,) = [line for line in result.stderr.splitlines() if ": error: " in line]
    for word in words:
        assert word in line, line
    return line


def writes_in(log: str, directory: Path) -> List[str]:
    """The calls that write to something in `directory`."""
    found = []
    for line in log.splitlines():
        opened_to_read = re.search(r"open(at)?\(", line) and not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", line)
        if not opened_to_read and (str(directory) in line or ".testmon" in line):
            found.append(line)
    return found


@needs_strace
@pytest.mark.parametrize("state", ["at rest", "with the log of a killed process", "in use"])
def test_commands_that_only_look_open_nothing_for_writing(state, commands, prepare, project, facts, tmp_path):
    assert prepare(facts("a")).returncode == 0
    user = None
    if state != "at rest":
        user = sqlite3.connect(project.datafile)
        user.execute("PRAGMA journal_mode = WAL")
        user.execute("INSERT INTO metadata VALUES ('of the log', '1')")
        user.commit()
    if state == "with the log of a killed process":
        kept = {path: path.read_bytes() for path in project.path.glob(".testmondata*")}
        user.close()
        for path, data in kept.items():
            path.write_bytes(data)
        (project.path / ".testmondata-shm").unlink()
    before = {path: path.read_bytes() for path in project.path.glob(".testmondata*")}
    lookers = {
        "environments": [commands.precreate, "environments", "list"],
        "status": [commands.precreate, "status"],
        "dry run": [commands.precreate, "prepare", "--dry-run", "--process-facts", facts("a", "b")],
        "dry run of a conversion": [commands.precreate, "prepare", "--dry-run", "--process-facts", facts("a")],
        "await": [commands.await_, "--no-ack", "--timeout", "5"],
    }
    for name, command in lookers.items():
        log = tmp_path / "strace.log"
        traced = ["strace", "-f", "-o", log, "-e", WRITING_CALLS, *command]
        result = commands.run(*traced, cwd=project.path)
        assert result.returncode == 0, (name, result.stderr)
        assert "openat" in log.read_text()
        assert writes_in(log.read_text(), project.path) == [], name
        assert {path: path.read_bytes() for path in project.path.glob(".testmondata*")} == before, name
    if user is not None:
        user.close()


def test_a_read_only_file_system_is_good_enough_for_looking(commands, prepare, project, facts):
    assert prepare(facts("a")).returncode == 0
    read_only = namespace(read_only=project.path)

    def run_read_only(*command) -> subprocess.CompletedProcess:
        return commands.run(*read_only, *command, cwd=project.path)

    assert run_read_only("touch", "x").returncode != 0
    environments = run_read_only(commands.precreate, "environments")
    assert environments.returncode == 0 and "default" in environments.stdout, environments.stderr
    assert run_read_only(commands.precreate, "status").returncode == 0
    assert run_read_only(commands.await_, "--no-ack", "--timeout", "5").returncode == 0
    dry = run_read_only(commands.precreate, "prepare", "--dry-run", "--process-facts", facts("a", "b"))
    assert dry.returncode == 0 and "would be created" in dry.stdout, dry.stderr


@pytest.fixture
def everybodys_directory() -> Iterator[Path]:
    """Not below tmp_path: every pytest that starts meanwhile closes its parents to other users."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
def test_a_directory_that_may_not_be_written_is_named(driver, everybodys_directory):
    directory = everybodys_directory / "project"
    directory.mkdir()
    file = directory / ".testmondata"
    assert driver.prepare(file).returncode == 0
    before = file.read_bytes()
    directory.chmod(0o755)
    file.chmod(0o644)
    somebody = shutil.copy(driver.path, everybodys_directory / "driver")

    def as_nobody(*words: str) -> subprocess.CompletedProcess:
        return run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", somebody, "prepare", *words])

    matching = as_nobody(str(file), "a 1.0", "13")
    assert matching.returncode == 0, "a row that matches needs no writing: " + matching.stderr
    changed = as_nobody(str(file), "a 2.0", "13")
    assert changed.returncode == 8, changed.stderr
    assert "Check the permissions of the file and its directory" in changed.stderr
    absent = as_nobody(str(directory / "new"), "a 2.0", "13")
    assert absent.returncode == 8 and "Permission denied" in absent.stderr, absent.stderr
    assert file.read_bytes() == before
    assert [path.name for path in directory.iterdir()] == [".testmondata"]


def test_a_full_disk_is_said_to_be_full(driver, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    small_disk = namespace(tmpfs=disk, size="256k")

    def on_small_disk(*lines: str) -> subprocess.CompletedProcess:
        return run([*small_disk, "sh", "-c", "\n".join(lines)])

    file = disk / ".testmondata"
    first, second = (shlex.join([*driver.command(file, f"a {i}.0", 13)]) for i in (1, 2))
    kept, filler, before = (shlex.quote(str(path)) for path in (file, disk / "filler", tmp_path / "before"))
    created = on_small_disk(f"dd if=/dev/zero of={filler} bs=4k count=60 2>/dev/null", first)
    assert created.returncode == 8 and "No space left on device" in created.stderr, created.stderr
    parked = on_small_disk(
        f"{first} >/dev/null || exit 90",
        f"cp {kept} {before}",
        f"dd if=/dev/zero of={filler} bs=1k 2>/dev/null",
        f"{second}; code=$?",
        f"cmp {kept} {before} || exit 91",
        f"rm {filler}",
        f"{second} >/dev/null || exit 92",
        "exit $code",
    )
    assert parked.returncode == 8, parked.stderr
    assert "disk" in parked.stderr


@needs_strace
def test_a_network_file_system_is_warned_of(driver, tmp_path):
    command = driver.command(tmp_path / "data", "a 1.0", 13)
    poke = "inject=statfs:poke_exit=@arg2=6969000000000000"
    result = run(["strace", "-f", "-o", "/dev/null", "-e", "trace=statfs", "-e", poke, *command])
    assert result.returncode == 0, result.stderr
    assert "is on a network file system (NFS)" in result.stderr
    assert "warning" not in run(command).stderr


def test_damage_ends_with_code_8_and_nothing_changed(prepare, project, facts):
    """The kinds of damage are tested one by one in tests/datafile/damage_test.cpp."""
    project.datafile.write_bytes(b"no database" * 1000)
    refused(prepare(facts("a")), "not an SQLite database", str(project.datafile), "--rebuild")
    assert project.datafile.read_bytes() == b"no database" * 1000
    assert not (project.path / ".testmon_xdist" / "controller_ready.json").exists()
    rebuilt = prepare(facts("a"), "--rebuild")
    assert rebuilt.returncode == 0 and ".testmondata.damaged-1" in rebuilt.stderr, rebuilt.stderr
    assert (project.path / ".testmondata.damaged-1").read_bytes() == b"no database" * 1000


def test_who_holds_the_lock_and_since_when_is_said(driver, tmp_path):
    file = tmp_path / "data"
    assert driver.prepare(file).returncode == 0
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "c.execute('BEGIN IMMEDIATE')\n"
            "print('locked', flush=True)\n"
            "sys.stdin.read()",
            str(file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "locked\n"
        before = file.read_bytes()
        result = driver.prepare(file, "a 2.0", 13, "--timeout", "0.5")
        assert result.returncode == 8
        assert f"locked by process {holder.pid} (" in result.stderr, result.stderr
        assert "python" in result.stderr and "started" in result.stderr and "waited 0." in result.stderr
        assert file.read_bytes() == before
        # A lock that goes away in time is no error.
        timer = threading.Timer(0.3, lambda: holder.stdin.close())
        timer.start()
        assert driver.prepare(file, "a 2.0", 13, "--timeout", "20").returncode == 0
        timer.join()
    finally:
        holder.kill()
        holder.wait()


PROCESSES, ROUNDS = 32, 50


def test_many_processes_at_once_agree(commands, project, facts):
    """Each round all processes want the same environment; it changes from round to round, and each tenth round
    begins without a file. Every fifth round half of them want another one. In every other round they share the
    coordination directory too: a busy one is reported there."""
    wanted = [facts("a"), facts("a", "b"), facts("c")]
    outcomes: Counter = Counter()

    def one(file: Path, directory: str) -> subprocess.CompletedProcess:
        command = [commands.precreate, "prepare", "--json", "--process-facts", str(file)]
        return run(command, cwd=project.path, env=clean_environment(TESTMON_XDIST_DIR=directory))

    with ThreadPoolExecutor(PROCESSES) as pool:
        for number in range(ROUNDS):
            if number % 10 == 0:
                for path in project.path.glob(".testmondata*"):
                    path.unlink()
            facts_of_round = [wanted[number % 3]] * PROCESSES
            if number % 5 == 4:
                facts_of_round[::2] = [wanted[(number + 1) % 3]] * (PROCESSES // 2)
            shared = number % 2 == 1
            directories = [".xdist" if shared else f".xdist-{i}" for i in range(PROCESSES)]
            results = list(pool.map(one, facts_of_round, directories))
            outcomes.update((shared, result.returncode) for result in results)
            for result in results:
                busy = shared and result.returncode == 9 and "another `prepare` is at work" in result.stderr
                assert result.returncode == 0 or busy, (number, result.stderr)
            rows = visible(project.datafile)
            assert len(rows) == 1, number
            assert content(project.datafile) is not None
            ids = {json.loads(result.stdout)["environment_id"] for result in results if result.returncode == 0}
            assert rows[0] in ids and len(ids) <= 2, number
            if number % 5 != 4:
                assert ids == set(rows), number
            keys = project.rows("SELECT system_packages, count(*) FROM environment GROUP BY 1")
            assert all(count == 1 for _, count in keys), number
    print(dict(outcomes))
    assert sum(outcomes.values()) == PROCESSES * ROUNDS
    assert outcomes[(False, 0)] == PROCESSES * ROUNDS // 2
    assert outcomes[(True, 0)] >= ROUNDS // 2


def test_parking_goes_on_while_others_read(driver, tmp_path):
    """A testmon worker that reads delays no one, and is not disturbed."""
    file = tmp_path / "data"
    assert driver.prepare(file).returncode == 0
    add_tests(file, 1)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        seen = reader.execute("SELECT * FROM environment").fetchall()
        assert driver.prepare(file, "a 2.0").returncode == 0
        assert reader.execute("SELECT * FROM environment").fetchall() == seen
        assert run([driver.path, "list", str(file)]).stdout == "1 parked 5\n2 visible 0\n"


WRITER = """
import sqlite3, sys
for number in range(10**9):
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute(f"PRAGMA wal_autocheckpoint = {(0, 20, 100)[number % 3]}")
    for i in range(30):
        connection.execute("UPDATE page SET n = n + 1")
        if i % 10 == 9:
            connection.execute(f"PRAGMA wal_checkpoint({('PASSIVE', 'RESTART', 'TRUNCATE')[number % 3]})")
        if number + i == 0:
            print("begun", flush=True)
    connection.close()
"""
SNAPSHOTS = int(os.environ.get("SNAPSHOTS", "40"))


def test_snapshots_of_a_file_that_is_written_and_checkpointed_all_the_time(driver, tmp_path):
    """Each transaction changes a hundred pages; the writer also leaves and comes back. SNAPSHOTS (40) is how many."""
    file, copy, origin = tmp_path / "data", tmp_path / "copy", tmp_path / "origin"
    assert driver.prepare(file).returncode == 0
    add_tests(file, 1)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE page (n INTEGER, filler BLOB)")
        connection.executemany("INSERT INTO page VALUES (0, zeroblob(3000))", [()] * 100)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(file)], text=True, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout.readline() == "begun\n"
            seen = set()
            for number in range(SNAPSHOTS):
                for path in tmp_path.glob("copy*"):
                    path.unlink()
                origin.unlink(missing_ok=True)
                taken = run([driver.path, "snapshot", str(file), str(copy), str(origin)])
                assert taken.returncode == 0, (number, taken.stderr)
                with closing(sqlite3.connect(copy)) as connection:
                    ((lowest, highest),) = connection.execute("SELECT min(n), max(n) FROM page").fetchall()
                    assert lowest == highest, number
                    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], number
                with closing(sqlite3.connect(origin)) as connection:
                    assert connection.execute("SELECT count(*) FROM test_execution").fetchone() == (5,)
                seen.add(lowest)
            assert writer.poll() is None and len(seen) > 1
        finally:
            writer.kill()
