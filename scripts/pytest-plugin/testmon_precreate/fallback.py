"""Keeps what a run of stock testmon would throw away.

If a run could not be prepared, testmon is left to itself. It deletes a data file of another data version, and testmon
2.2 deletes an environment, with all its tests, whose packages or Python have changed. A copy is made before that.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from pathlib import Path
from typing import Optional

# testmon of this data version deletes the row that does not match, instead of adding one.
FIRST_DELETING_VERSION = 14
MOST_COPIES = 9


def copy_before_loss(datafile: Path, data_version: int, environment_name: str, packages: str) -> Optional[Path]:
    """The copy, if testmon of `data_version` would throw data away and it could be made. `packages` as stored.

    Raises sqlite3.Error or OSError if there is something to lose but no copy could be made.
    """
    if not datafile.exists():
        return None
    with contextlib.closing(_open(datafile)) as source:
        if not _would_be_lost(source, data_version, environment_name, packages):
            return None
        target = _name_for_copy(datafile)
        unfinished = target.with_name(target.name + ".tmp")
        with contextlib.suppress(FileNotFoundError):
            unfinished.unlink()
        with contextlib.closing(sqlite3.connect(str(unfinished))) as copy:
            source.backup(copy)
        os.replace(str(unfinished), str(target))
    return target


def _open(datafile: Path) -> sqlite3.Connection:
    return sqlite3.connect(datafile.resolve().as_uri() + "?mode=ro", uri=True, timeout=10)


def _would_be_lost(source: sqlite3.Connection, data_version: int, environment_name: str, packages: str) -> bool:
    try:
        stored_version = source.execute("PRAGMA user_version").fetchone()[0]
        if stored_version != data_version:
            return bool(source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        if data_version < FIRST_DELETING_VERSION:
            return False
        row = source.execute(
            "SELECT system_packages, python_version FROM environment WHERE environment_name = ? ORDER BY id DESC",
            (environment_name,),
        ).fetchone()
    except sqlite3.DatabaseError:  # damaged or locked: testmon will not get to deleting anything either
        return False
    return row is not None and row != (packages, "{}.{}.{}".format(*sys.version_info[:3]))


def _name_for_copy(datafile: Path) -> Path:
    """The first free name; if all are taken, that of the oldest copy."""
    names = [datafile.with_name(f"{datafile.name}.backup-{number}") for number in range(1, MOST_COPIES + 1)]
    for name in names:
        if not name.exists():
            return name
    return min(names, key=lambda name: name.stat().st_mtime)
