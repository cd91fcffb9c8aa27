"""Ends a prepared run, however the process ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from testmon_precreate.commands import CommandFailed, call
from testmon_precreate.private_datafile import PrivateDatafile
from testmon_precreate.right_size import StartUp
from testmon_precreate.run_report import RunReport

CLEANUP_SECONDS = 30.0
MERGE_SECONDS_PER_MIB = 1.0  # a hundred times what it takes on an ordinary disk


def seconds_for(state: Dict[str, Any]) -> float:
    """How long the clean-up of a run may take: it also merges what other runs have recorded in places of their own."""
    shared = Path(state["coordination_directory"])
    if state["private_copy"]:
        shared = shared.parent
    mebibytes = 0.0
    for file in [*shared.glob("*/.testmondata"), Path(state["database_path"])]:
        try:
            mebibytes += file.stat().st_size / 2**20
        except OSError:  # another run has ended just now
            continue
    return CLEANUP_SECONDS + MERGE_SECONDS_PER_MIB * mebibytes


class Cleanup:
    """Removes the coordination files of `state` once: by end(), at the interpreter's end, or on a signal."""

    def __init__(
        self,
        state: Dict[str, Any],
        datafile: PrivateDatafile,
        start_up: StartUp,
        log: Optional[Callable[[str], None]],
        report: Optional[RunReport],
    ) -> None:
        self._state: Optional[Dict[str, Any]] = state
        self._datafile = datafile
        self._start_up = start_up
        self._log = log
        self._report = report
        self._pid = os.getpid()
        self._previous_handlers: Dict[int, Any] = {}
        atexit.register(self._clean_up)
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                if signal.getsignal(number) == signal.SIG_DFL:
                    self._previous_handlers[number] = signal.signal(number, self._end_by_signal)
            except ValueError:  # pytest does not run in the main thread
                return

    def end(self) -> None:
        self._clean_up()
        for number, handler in self._previous_handlers.items():
            if signal.getsignal(number) == self._end_by_signal:
                signal.signal(number, handler)

    def _end_by_signal(self, number: int, frame: Any) -> None:
        self._clean_up()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _clean_up(self) -> None:
        if os.getpid() != self._pid:  # a test has forked: the run goes on
            return
        atexit.unregister(self._clean_up)
        state, self._state = self._state, None
        if state is None:
            return
        self._datafile.restore()  # the command merges into the project's own
        arguments = ["cleanup", "--quiet", "--rootdir", state["rootdir"], "--run-uid", state["run_uid"]]
        if self._start_up.seconds is not None:
            arguments += ["--workers-start", f"{self._start_up.seconds:.4f}"]
        report = self._report.as_json(state) if self._report is not None and self._report.has_summary else ""
        try:
            call(
                "testmon-precreate",
                [*arguments, *(["--run-report", "-"] if report else [])],
                text=report,
                timeout=seconds_for(state),
                log=self._log,
                warn=lambda text: sys.stderr.write(f"testmon-precreate: {text}\n"),
                coordination_directory=state["coordination_directory"],
            )
        except CommandFailed as error:
            sys.stderr.write(f"testmon-precreate: {error}\n")
