"""The data file of a large project: 50,000 tests with 20 fingerprints each.

Modelled on real ones: a test has a fingerprint of its own in its test file (the methods of no two tests are the
same), five that it shares with its neighbours (the modules under test), and fourteen of helpers that the whole suite
shares, some of them far more often than others. Environments are few, package texts are long.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from measure import BUILD, Table, alternate, wall_seconds

DRIVER = str(BUILD / "tests" / "datafile" / "datafile_driver")
SCRATCH = BUILD / "bench_datafile"
TESTS, FINGERPRINTS, HELPERS = 50_000, 20, 3_000
PACKAGES = ", ".join(f"package-{i:03} {i % 9}.{i % 7}" for i in range(300))

# testmon/db.py of 2.2.0: connect, connection_options, DB.fetch_or_create_environment.
TESTMONS_WAY = """
import sqlite3, sys, time
def fetch_or_create(file, name, packages, python):
    connection = sqlite3.connect(f"file:{file}", uri=True, timeout=60)
    connection.execute("PRAGMA user_version").fetchone()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA foreign_keys = TRUE ")
    connection.execute("PRAGMA recursive_triggers = TRUE ")
    connection.row_factory = sqlite3.Row
    with connection as con:
        con.execute("BEGIN IMMEDIATE TRANSACTION")
        row = con.cursor().execute(
            "SELECT id, environment_name, system_packages, python_version FROM environment"
            " WHERE environment_name = ? ORDER BY id DESC", (name,)).fetchone()
        assert row["system_packages"] == packages and row["python_version"] == python
    connection.close()
    return row["id"]
times = []
for _ in range(int(sys.argv[3])):
    start = time.perf_counter()
    fetch_or_create(sys.argv[1], "default", sys.argv[2], "3.11.7")
    times.append(time.perf_counter() - start)
print(sorted(times)[len(times) // 2])
"""


def prepare(file: Path, packages: str = PACKAGES, version: int = 13, *options: str) -> list:
    return [DRIVER, "prepare", str(file), packages, str(version), *options]


def words_of(command: list) -> list:
    """What the command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def seconds_inside(command: list) -> float:
    """What the driver measured of itself: no start of a process."""
    return float(words_of(command)[3]) / 1e6


def peak_mib(command: list) -> float:
    return float(words_of(command)[4]) / 1024


def make_file(file: Path, tests: int) -> Path:
    """Built once by SQL, used again."""
    if file.exists():
        return file
    unfinished = Path(f"{file}.unfinished")
    for path in file.parent.glob(f"{unfinished.name}*"):
        path.unlink()
    subprocess.run(prepare(unfinished), check=True, stdout=subprocess.DEVNULL)
    neighbours, helpers = tests + 1, tests + 1 + 5 * (tests // 4 + 1)
    fingerprints = helpers + HELPERS
    with closing(sqlite3.connect(unfinished)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO file_fp SELECT i, printf('src/package_%03d/module_%05d.py', i % 100, i / 4),"
            " randomblob(4 * (3 + i % 40)), 1.7e9 + i, lower(hex(randomblob(20))) FROM n",
            (fingerprints,),
        )
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO test_execution SELECT i, 1,"
            " printf('tests/unit/test_module_%05d.py::TestCase::test_method_%06d', i / 12, i), 0.01, 0, NULL FROM n",
            (tests,),
        )
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1)"
            " INSERT INTO test_execution_file_fp SELECT t.id, CASE"
            " WHEN n.i = 0 THEN t.id WHEN n.i < 6 THEN ? + t.id / 4 * 5 + n.i - 1"
            " ELSE ? + ((t.id * 7 + n.i * 131) % ?) * ((t.id * 13 + n.i * 17) % ?) / ? END FROM test_execution t, n",
            (FINGERPRINTS, neighbours, helpers, HELPERS, HELPERS, HELPERS),
        )
    unfinished.rename(file)
    return file


def bench_matching_row(table: Table, large: Path) -> None:
    repeat = "300"
    ours, theirs = [], []
    for _ in range(7):
        ours.append(seconds_inside(prepare(large, PACKAGES, 13, "--repeat", repeat)))
        theirs.append(float(words_of([sys.executable, "-c", TESTMONS_WAY, str(large), PACKAGES, repeat])[0]))
    table.ratio("matching row, inside a running process", ours, theirs, 0.5)
    whole = alternate(
        {
            "ours": lambda: wall_seconds(prepare(large)),
            "theirs": lambda: wall_seconds([sys.executable, "-c", TESTMONS_WAY, str(large), PACKAGES, "1"]),
        },
        30,
    )
    table.ratio("matching row, whole process", whole["ours"], whole["theirs"], 0.5)
    table.value("matching row, peak memory", peak_mib(prepare(large)), "MiB", 16)


def bench_parking(table: Table, large: Path, small: Path) -> None:
    def park_and_restore(file: Path) -> float:
        return seconds_inside(prepare(file, "other 1.0")) + seconds_inside(prepare(file))

    times = alternate({"large": lambda: park_and_restore(large), "small": lambda: park_and_restore(small)}, 30)
    table.ratio("park + restore, against a file of 10 tests", times["large"], times["small"], 1.5)


def bench_upgrade(table: Table, large: Path) -> None:
    copy, other, backup = SCRATCH / "copy", SCRATCH / "other", SCRATCH / "backup"
    schema = SCRATCH / "schema-14"
    schema.unlink(missing_ok=True)
    subprocess.run(prepare(schema, PACKAGES, 14), check=True, stdout=subprocess.DEVNULL)
    with closing(sqlite3.connect(schema)) as connection:
        statements = [row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")]
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]

    def fresh_copy() -> None:
        for path in SCRATCH.glob("copy*"):
            path.unlink()
        shutil.copyfile(large, copy)

    def ours() -> float:
        fresh_copy()
        return seconds_inside(prepare(copy, PACKAGES, 14))

    def theirs() -> float:
        fresh_copy()
        other.unlink(missing_ok=True)
        backup.unlink(missing_ok=True)
        inserts = [f"INSERT INTO {name} SELECT * FROM old.{name}" for name in tables]
        script = [f"ATTACH '{copy}' AS old", "BEGIN", *statements, *inserts, "COMMIT"]
        start = time.perf_counter()
        subprocess.run(["sqlite3", str(copy), f".backup {backup}"], check=True)
        subprocess.run(
            ["sqlite3", str(other), ";\n".join(script)], check=True, stdout=subprocess.DEVNULL
        )
        return time.perf_counter() - start

    times = alternate({"ours": ours, "theirs": theirs}, 5)
    table.ratio("upgrade 13 to 14, against .backup + INSERT … SELECT", times["ours"], times["theirs"], 1.3)
    fresh_copy()
    table.value("upgrade, peak memory", peak_mib(prepare(copy, PACKAGES, 14)), "MiB", None)


def main() -> int:
    SCRATCH.mkdir(exist_ok=True)
    large = make_file(SCRATCH / f"large-{TESTS}-{FINGERPRINTS}", TESTS)
    small = make_file(SCRATCH / "small-10", 10)
    table = Table(f"Data file: {TESTS:,} tests × {FINGERPRINTS} fingerprints, {large.stat().st_size / 2**20:.0f} MiB")
    bench_matching_row(table, large)
    bench_parking(table, large, small)
    bench_upgrade(table, large)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
