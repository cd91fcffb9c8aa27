"""Keeps the controller's testmon from writing rows while a worker may still read the data file.

TestmonXdistSync, testmon's part in the controller, brings the data file up to date with the collected tests as soon as
every worker that is *ready so far* has collected. A worker that is ready later reads a half-changed file, takes every
test for stable, and the run ends with "Different tests were collected". Here a worker counts from the moment when xdist
configures it, which is before the first worker's events are looked at, until it has collected or is gone.

A worker that dies is replaced, or the run ends: xdist schedules no test before it has as many collections as workers
were asked for. So nothing waits for the dead one, and what its replacement collects comes in time.
"""

from __future__ import annotations

from typing import Any, Set

import pytest

from testmon_precreate.testmon_internals import await_workers


class CollectionGate:
    def __init__(self) -> None:
        self._collecting: Set[Any] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        self._collecting.add(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._collecting.discard(node)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        self._collecting.discard(node)
        # testmon's own hook comes next: it takes one away and writes if none is left.
        await_workers(node.config, len(self._collecting) + 1)
