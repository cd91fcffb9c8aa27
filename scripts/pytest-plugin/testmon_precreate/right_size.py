"""Starts as many workers as pay off, not as many as -n asks for.

How many these are is the command's answer (`prepare --right-size`), from what the run will execute and from what the
start of a worker has cost. testmon asks for the packages before it looks whether it runs in a controller, and xdist
starts its own session plugin after that: between the two, the number can still be changed.
"""

from __future__ import annotations

import time
from typing import Any, Dict, List, Optional

import pytest

from testmon_precreate import testmon_internals as internals
from testmon_precreate.run_report import is_audit


def options_for_prepare(config: pytest.Config) -> List[str]:
    """Nothing if the run must have the workers that it asks for."""
    mode = internals.adaptable_distribution(config)
    if not mode or not internals.selects_tests(config) or is_audit():
        return []
    # pytest-cov has chosen how to collect data before the number can change, and test files of other plugins are not
    # scanned for: with them, the tests run in a worker.
    needs_worker = internals.has_coverage_plugin(config) or internals.collects_other_files(config)
    return ["--right-size", mode, "--least-workers", "1" if needs_worker else "0"]


def apply(config: pytest.Config, state: Dict[str, Any]) -> str:
    """Returns what to tell in the header."""
    asked, workers = state.get("asked_workers", 0), state["expected_workers"]
    if not asked:  # nothing was decided
        return ""
    if workers < asked:
        internals.set_worker_count(config, workers)
    return f"testmon-precreate: {workers} of {asked} workers: {state['workers_because']}"


class StartUp:
    """Takes the time until all workers of a run have collected."""

    def __init__(self) -> None:
        self._start = 0.0
        self._waiting = 0
        self.seconds: Optional[float] = None

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_setupnodes(self, specs: List[Any]) -> None:
        self._start = time.perf_counter()
        self._waiting = len(specs)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self.seconds = time.perf_counter() - self._start
