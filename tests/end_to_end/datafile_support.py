"""What the tests of the data file share: its content as one value, and the driver that calls nothing but it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import List, Optional, Tuple

TABLES = (
    "metadata",
    "environment",
    "test_execution",
    "file_fp",
    "test_execution_file_fp",
    "suite_execution_file_fsha",
)


class Driver:
    """tests/datafile/datafile_driver.cpp as built."""

    def __init__(self, commands) -> None:
        self.path = str(commands.build / "tests" / "datafile" / "datafile_driver")

    def command(self, file: Path, packages: str, data_version: int, *options: str) -> List[str]:
        return [self.path, "prepare", str(file), packages, str(data_version), *options]

    def prepare(
        self, file: Path, packages: str = "a 1.0", data_version: int = 13, *options: str
    ) -> subprocess.CompletedProcess:
        return run(self.command(file, packages, data_version, *options))


def run(command: List[str], timeout: float = 120, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, text=True, capture_output=True, timeout=timeout, **options)


def content(file: Path) -> Optional[Tuple]:
    """Every row of a file, its version and schema; None for no file. Times are left out."""
    if not file.exists():
        return None
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = [
            (table, connection.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()) for table in TABLES
        ]
        rows[0] = ("metadata", [row[1] for row in rows[0][1]])
        schema = sorted(row[0] for row in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
        return (connection.execute("PRAGMA user_version").fetchone()[0], schema, rows)


def add_tests(file: Path, environment_id: int, count: int = 5) -> None:
    """What testmon would add after a run of `count` tests."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for i in range(count):
            fingerprint = connection.execute(
                "INSERT INTO file_fp (filename, method_checksums, mtime, fsha) VALUES (?, ?, 1.5, ?)",
                (f"test_{i}.py", b"%d" % i, f"fsha {environment_id} {i}"),
            ).lastrowid
            test = connection.execute(
                "INSERT INTO test_execution (environment_id, test_name, duration, failed, forced)"
                " VALUES (?, ?, 0.5, 0, 1)",
                (environment_id, f"test_{i}.py::test"),
            ).lastrowid
            connection.execute("INSERT INTO test_execution_file_fp VALUES (?, ?)", (test, fingerprint))


def visible(file: Path, name: str = "default") -> List[int]:
    """The ids of the rows that testmon finds for a name."""
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM environment WHERE environment_name = ?", (name,))]


def copy_directory(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
    return target
