"""Tells what a run did: `testmon-precreate cleanup` makes a summary of it, `testmon-precreate run --audit` judges by it.

In an audit every test is executed, and testmon still settles what it would have skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import pytest

from testmon_precreate import testmon_internals as internals
from testmon_precreate.messages import warn

# Files that get the summary.
SUMMARIES = ("GITHUB_STEP_SUMMARY", "TESTMON_XDIST_SUMMARY")
# A file that gets the report of each run, a line of JSON; set by `testmon-precreate run --audit`.
AUDIT = "TESTMON_XDIST_AUDIT"
MOST_FAILURES = 1000


def is_audit() -> bool:
    return bool(os.environ.get(AUDIT))


def start_report(config: pytest.Config) -> Optional[RunReport]:
    """Called in every process of the run before testmon configures itself; workers have no report."""
    report = None
    try:
        if not hasattr(config, "workerinput"):
            report = RunReport(config)
            config.pluginmanager.register(report, "testmon-precreate-run-report")
        if is_audit() and not internals.deselect_nothing(config.option):
            config.pluginmanager.register(EmptyDeselection(config), "testmon-precreate-empty-deselection")
    except Exception as error:  # our failures must not break the run
        warn(config, f"no report of the run: {error!r}", "")
        return None
    return report


class EmptyDeselection:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    # After pytest_sessionstart, in which the report sees what is deselected.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        internals.empty_deselection(self._config)


class RunReport:
    """What a controller, or a run without workers, notes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.has_summary = any(os.environ.get(name) for name in SUMMARIES)
        self._why_all = internals.why_nothing_is_deselected(config.option)
        self._datafile = Path(config.rootpath, internals.datafile_name())
        self._base_modified: Optional[float] = None
        with contextlib.suppress(OSError):
            self._base_modified = self._datafile.stat().st_mtime
        self._skipped: Dict[str, float] = {}  # the tests that testmon would skip, and their durations
        self._skipped_files: Set[str] = set()
        self._recorded = 0
        self._executed: Set[str] = set()
        self._failed: Dict[str, None] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        try:
            durations = internals.recorded_durations(self._config)
            tests, files = internals.deselection(self._config)
        except Exception as error:  # our failures must not break the run
            warn(self._config, f"the report of the run will lack what is skipped: {error!r}", "")
            return
        self._recorded = len(durations)
        if not self._why_all:
            self._skipped = {test: durations.get(test) or 0.0 for test in tests}
            self._skipped_files = set(files)

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._executed.add(report.nodeid)
        self._note_failure(report)

    def pytest_collectreport(self, report: Any) -> None:
        self._note_failure(report)

    def _note_failure(self, report: Any) -> None:
        if report.failed:
            self._failed[report.nodeid] = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if is_audit():
            with contextlib.suppress(OSError), open(os.environ[AUDIT], "a") as file:
                file.write(self.as_json({}) + "\n")

    def _would_be_skipped(self, test: str) -> bool:
        return test in self._skipped or test.split("::", 1)[0] in self._skipped_files

    def as_json(self, state: Dict[str, Any]) -> str:
        """`state`: the coordination state of the run, as far as there is one."""
        failed: List[str] = list(self._failed)
        return json.dumps(
            {
                "is_audit": is_audit(),
                "why_all": self._why_all,
                "recorded": self._recorded,
                "executed": len(self._executed),
                "skipped": len(self._skipped),
                "skipped_seconds": sum(self._skipped.values()),
                "failed": len(failed),
                "missed": [test for test in failed if self._would_be_skipped(test)][:MOST_FAILURES],
                "datafile": str(self._datafile),
                "base_modified": self._base_modified,
                "environment_name": state.get("environment_name", ""),
                "environment_action": state.get("environment_action", ""),
                "packages_changed": state.get("packages_changed", False),
            }
        )
