"""Keeps later runs from parsing files again in which no function has changed.

testmon records a file's hash with each fingerprint, and parses the file again in every process of every run as long as
one of them has another hash: after an edited comment that is until all tests that use the file have run again, because
it never writes the new hash by itself. After a run, the fingerprints whose blocks are all in the file as testmon
has just read it get the file's hash, as if their tests had run again.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from testmon_precreate import testmon_internals as internals


class FileHashes:
    """Registered in the process that writes testmon's data file."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        data = internals.recording_data(session.config)
        if data is None:
            return
        try:
            refresh(data)
        except Exception:  # it only saves time
            pass


def refresh(data: Any) -> int:
    """Returns how many fingerprints it gave a hash. Leaves alone what another environment uses too: a fingerprint of
    another Python's blocks is not ours to judge."""
    stale = [pair for item in data.source_tree.cache.items() for pair in _stale_fingerprints(data.db.con, *item)]
    if not stale:
        return 0
    with data.db.con as connection:
        foreign = {
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT d.fingerprint_id FROM test_execution t CROSS JOIN test_execution_file_fp d"
                " ON d.test_execution_id = t.id WHERE t.environment_id <> ?",
                (data.exec_id,),
            )
        }
        own = [pair for pair in stale if pair[1] not in foreign]
        connection.executemany("UPDATE OR IGNORE file_fp SET fsha = ? WHERE id = ?", own)
        _join_equal_ones(connection, own)
    return len(own)


def _stale_fingerprints(connection: Any, filename: str, module: Any) -> List[Tuple[str, int]]:
    """Pairs of the file's hash and the id of a fingerprint that fits the file and has another hash."""
    # testmon parses only what it has to; nothing that it has not parsed by itself is parsed here.
    if module is None or not module._blocks:
        return []
    known = set(module.checksums)
    rows = connection.execute(
        "SELECT id, method_checksums FROM file_fp WHERE filename = ? AND fsha IS NOT NULL AND fsha <> ?",
        (filename, module.fs_fsha),
    )
    return [(module.fs_fsha, row[0]) for row in rows if known.issuperset(internals.checksums_of_blob(row[1]))]


def _join_equal_ones(connection: Any, refreshed: List[Tuple[str, int]]) -> None:
    """A fingerprint that kept its hash has a twin, which a test got in this run: its tests now refer to the twin."""
    twins: Dict[int, int] = {}
    for fsha, fingerprint in refreshed:
        row = connection.execute(
            "SELECT new.id FROM file_fp old JOIN file_fp new ON new.filename = old.filename AND new.fsha = ?"
            " AND new.method_checksums = old.method_checksums WHERE old.id = ? AND new.id <> old.id",
            (fsha, fingerprint),
        ).fetchone()
        if row is not None:
            twins[fingerprint] = row[0]
    if not twins:
        return
    connection.execute("CREATE TEMPORARY TABLE IF NOT EXISTS twins (old INTEGER PRIMARY KEY, new INTEGER)")
    connection.executemany("INSERT OR REPLACE INTO temp.twins VALUES (?, ?)", twins.items())
    connection.execute(
        "UPDATE test_execution_file_fp SET fingerprint_id = (SELECT new FROM temp.twins WHERE old = fingerprint_id)"
        " WHERE fingerprint_id IN (SELECT old FROM temp.twins)"
    )
    connection.execute("DELETE FROM file_fp WHERE id IN (SELECT old FROM temp.twins)")
    connection.execute("DROP TABLE temp.twins")
