"""What a run beside another one starts with: a snapshot of the data file, here of 80 MiB, against `cp`.

50,000 tests with 20 fingerprints each; the file is at rest, or testmon has it open and has written to its log.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bench_datafile import DRIVER, FINGERPRINTS, TESTS, make_file, words_of
from measure import BUILD, Table, alternate, wall_seconds

SCRATCH = BUILD / "bench_snapshot"
ROUNDS = 15


def remove_copies() -> None:
    for path in SCRATCH.glob("copy*"):
        path.unlink()


def snapshot(file: Path) -> float:
    """As measured inside: a run's own process is there already."""
    remove_copies()
    return float(words_of([DRIVER, "snapshot", file, SCRATCH / "copy", SCRATCH / "copy.origin"])[0]) / 1e6


def cp(file: Path) -> float:
    remove_copies()
    return wall_seconds(["cp", file, SCRATCH / "copy"])


def main() -> int:
    SCRATCH.mkdir(exist_ok=True)
    file = make_file(SCRATCH / f"main-{TESTS}-{FINGERPRINTS}", TESTS)
    table = Table(f"Snapshot: {file.stat().st_size / 2**20:.0f} MiB")
    for what in ("at rest", "in use, with 4 MiB in its log"):
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            if what != "at rest":
                connection.execute("PRAGMA wal_autocheckpoint = 0")
                connection.execute("UPDATE test_execution SET forced = NULL")
            times = alternate({"ours": lambda: snapshot(file), "cp": lambda: cp(file)}, ROUNDS)
        table.ratio(f"a snapshot of a file {what}, against cp", times["ours"], times["cp"], 1.5)
    remove_copies()
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
