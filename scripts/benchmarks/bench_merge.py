"""Merging the data files of eight shards: 50,000 tests with 20 fingerprints each in every one of them.

Modelled on a CI job of eight machines after a change that affects every test: all start from the main branch's file, each
executes an eighth of the tests, and one of the modules under each test has changed. So of each test one file has a new
record, and seven have the old one. Merged into a new file, and into the main branch's (`--base`).

What it is compared with does the same job by the same rule with ATTACH and INSERT … SELECT, one shard after the other, in
one transaction and with the same settings of SQLite; and with copying the bytes.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import List

from bench_datafile import FINGERPRINTS, TESTS, make_file
from measure import BUILD, COMMANDS, Table, alternate, peak_memory_mib, wall_seconds

SCRATCH = BUILD / "bench_merge"
SHARDS = 8
ROUNDS = 3

# The rule of datafile/merge.hpp if the disk is not looked at: an execution before a placeholder, a failure before a
# success, one of the last run before others, and so on.
STATEMENTS = """
CREATE TEMP TABLE same AS SELECT s.id AS old, m.id AS own FROM shard.environment s JOIN main.environment m
  USING (environment_name, system_packages, python_version);
CREATE TEMP TABLE taken AS SELECT s.id AS old, m.id AS own, e.own AS environment_id, s.test_name, s.duration, s.failed,
  s.forced FROM same e JOIN shard.test_execution s ON s.environment_id = e.old
  LEFT JOIN main.test_execution m ON m.environment_id = e.own AND m.test_name = s.test_name
  WHERE m.id IS NULL OR (s.duration IS NOT NULL, s.failed, s.forced IS NOT NULL, coalesce(s.forced, -1), s.duration)
    > (m.duration IS NOT NULL, m.failed, m.forced IS NOT NULL, coalesce(m.forced, -1), m.duration);
DELETE FROM main.test_execution_file_fp WHERE test_execution_id IN (SELECT own FROM taken);
DELETE FROM main.test_execution WHERE id IN (SELECT own FROM taken);
CREATE TEMP TABLE wanted AS SELECT DISTINCT fingerprint_id AS id FROM taken t
  JOIN shard.test_execution_file_fp l ON l.test_execution_id = t.old;
INSERT OR IGNORE INTO main.file_fp (filename, method_checksums, mtime, fsha)
  SELECT filename, method_checksums, mtime, fsha FROM wanted JOIN shard.file_fp USING (id);
CREATE TEMP TABLE mapped (old INTEGER PRIMARY KEY, own INTEGER);
INSERT INTO mapped SELECT s.id, m.id FROM wanted JOIN shard.file_fp s USING (id) JOIN main.file_fp m
  ON m.filename = s.filename AND m.fsha IS s.fsha AND m.method_checksums = s.method_checksums;
CREATE TEMP TABLE first AS SELECT coalesce(max(id), 0) AS id FROM main.test_execution;
INSERT INTO main.test_execution SELECT first.id + taken.rowid, environment_id, test_name, duration, failed, forced
  FROM taken, first;
INSERT INTO main.test_execution_file_fp SELECT first.id + taken.rowid, mapped.own FROM first, taken
  CROSS JOIN shard.test_execution_file_fp l ON l.test_execution_id = taken.old
  CROSS JOIN mapped ON mapped.old = l.fingerprint_id;
"""

THEIRS = """
import sqlite3, sys
schema, statements, target, *shards = sys.argv[1:]
connection = sqlite3.connect(target, isolation_level=None)
connection.execute("PRAGMA synchronous = NORMAL")
connection.execute("PRAGMA cache_size = -24576")
for number, shard in enumerate(shards):
    connection.execute(f"ATTACH ? AS shard{number}", (shard,))
connection.execute("BEGIN IMMEDIATE")
if not connection.execute("SELECT count(*) FROM main.sqlite_schema").fetchone()[0]:
    for statement in schema.split(";"):
        connection.execute(statement)
    connection.execute("INSERT INTO environment SELECT * FROM shard0.environment")
for number in range(len(shards)):
    for statement in statements.replace("shard.", f"shard{number}.").split(";"):
        connection.execute(statement)
    for table in ("same", "taken", "wanted", "mapped", "first"):
        connection.execute(f"DROP TABLE temp.{table}")
connection.execute("COMMIT")
connection.close()
"""


def make_shard(main_file: Path, number: int, tests: int) -> Path:
    """The main branch's file after the shard's run; built once."""
    file = SCRATCH / f"shard-{tests}-{number}"
    if file.exists():
        return file
    unfinished = Path(f"{file}.unfinished")
    shutil.copyfile(main_file, unfinished)
    first, last = number * tests // SHARDS + 1, (number + 1) * tests // SHARDS
    with closing(sqlite3.connect(unfinished)) as connection, connection:
        (changed,) = connection.execute("SELECT max(id) FROM file_fp").fetchone()
        # The second fingerprint of a test is a module that it shares with three neighbours.
        connection.execute(
            "CREATE TEMP TABLE module AS SELECT DISTINCT ? + 5 * (id / 4) AS id FROM test_execution"
            " WHERE id BETWEEN ? AND ?",
            (tests + 1, first, last),
        )
        connection.execute(
            "INSERT INTO file_fp SELECT ? + module.rowid, filename, method_checksums || x'01000000', mtime, 'new' || fsha"
            " FROM module JOIN file_fp USING (id)",
            (changed,),
        )
        connection.execute("UPDATE test_execution SET forced = NULL")
        connection.execute(
            "INSERT INTO test_execution SELECT ? + id, environment_id, test_name, 0.02 + id / 1e6, 0, 0"
            " FROM test_execution WHERE id BETWEEN ? AND ?",
            (tests, first, last),
        )
        connection.execute(
            "INSERT INTO test_execution_file_fp SELECT ? + test_execution_id, coalesce(? + module.rowid, fingerprint_id)"
            " FROM test_execution_file_fp LEFT JOIN module ON id = fingerprint_id WHERE test_execution_id BETWEEN ? AND ?",
            (tests, changed, first, last),
        )
        connection.execute("DELETE FROM test_execution_file_fp WHERE test_execution_id BETWEEN ? AND ?", (first, last))
        connection.execute("DELETE FROM test_execution WHERE id BETWEEN ? AND ?", (first, last))
    unfinished.rename(file)
    return file


def content(file: Path) -> List[tuple]:
    """What testmon sees, ids aside: a number for each test."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(
            "SELECT test_name, duration, failed, forced, count(*), group_concat(fsha)"
            " FROM (SELECT DISTINCT test_name, duration, failed, forced, fsha, filename FROM test_execution t"
            " JOIN test_execution_file_fp ON test_execution_id = t.id"
            " JOIN file_fp f ON f.id = fingerprint_id ORDER BY test_name, filename, fsha) GROUP BY test_name ORDER BY test_name"
        ).fetchall()


class Job:
    """The merging of some shards, into a new file or into the main branch's."""

    def __init__(self, main_file: Path, shards: List[Path], into_main: bool) -> None:
        self.main_file, self.shards, self.into_main = main_file, shards, into_main
        self.target = SCRATCH / "target"
        with closing(sqlite3.connect(main_file)) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        self.schema = "; ".join(row[0] for row in rows)

    def _prepare(self) -> None:
        for path in SCRATCH.glob("target*"):
            path.unlink()
        if self.into_main:
            shutil.copyfile(self.main_file, self.target)

    def our_command(self) -> List[str]:
        base = ["--base", str(self.target)] if self.into_main else []
        return [COMMANDS.precreate, "merge", "-q", "--into", str(self.target), *base, *map(str, self.shards)]

    def ours(self) -> float:
        self._prepare()
        return wall_seconds(self.our_command(), cwd=SCRATCH, stderr=None)

    def theirs(self) -> float:
        self._prepare()
        command = [sys.executable, "-c", THEIRS, self.schema, STATEMENTS.strip().rstrip(";"), self.target, *self.shards]
        return wall_seconds(command, stderr=None)

    def copies(self) -> float:
        start = time.perf_counter()
        for shard in self.shards:
            shutil.copyfile(shard, SCRATCH / "copy")
        return time.perf_counter() - start

    def memory(self) -> float:
        self._prepare()
        return peak_memory_mib(self.our_command(), cwd=SCRATCH)

    def check(self) -> None:
        """That both do the same."""
        self.ours()
        ours = content(self.target)
        self.theirs()
        assert ours == content(self.target)


def main() -> int:
    SCRATCH.mkdir(exist_ok=True)
    main_file = make_file(SCRATCH / f"main-{TESTS}-{FINGERPRINTS}", TESTS)
    small_main = make_file(SCRATCH / f"main-{TESTS // 10}-{FINGERPRINTS}", TESTS // 10)
    shards = [make_shard(main_file, number, TESTS) for number in range(SHARDS)]
    small_shards = [make_shard(small_main, number, TESTS // 10) for number in range(SHARDS)]
    size = sum(shard.stat().st_size for shard in shards) / 2**20
    table = Table(f"Merge: {SHARDS} files × {TESTS:,} tests × {FINGERPRINTS} fingerprints, {size:.0f} MiB")
    for into_main, what in ((False, "into a new file"), (True, "into the main branch's file")):
        job, small = Job(main_file, shards, into_main), Job(small_main, small_shards, into_main)
        job.check()
        times = alternate({"ours": job.ours, "theirs": job.theirs, "copies": job.copies, "small": small.ours}, ROUNDS)
        table.ratio(f"{what}, against ATTACH and INSERT … SELECT", times["ours"], times["theirs"], 0.5)
        table.ratio(f"{what}, against a copy of the bytes", times["ours"], times["copies"], None)
        table.ratio(f"{what}, against a tenth of the tests", times["ours"], times["small"], 12)
        table.value(f"{what}, peak memory", job.memory(), "MiB", 64)
        table.value(f"{what}, peak memory for a tenth of the tests", small.memory(), "MiB", 64)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
