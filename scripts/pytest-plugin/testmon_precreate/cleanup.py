"""Ends a prepared run whatever way the process ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import Any, Callable, Dict, Optional

from testmon_precreate.commands import CommandFailed, call
from testmon_precreate.private_datafile import PrivateDatafile

CLEANUP_SECONDS = 30.0


class Cleanup:
    """Removes the coordination files of `state` once: by end(), at the interpreter's end, or on a signal."""

    def __init__(
        self, state: Dict[str, Any], datafile: PrivateDatafile, log: Optional[Callable[[str], None]]
    ) -> None:
        self._state: Optional[Dict[str, Any]] = state
        self._datafile = datafile
        self._log = log
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
        try:
            call(
                "testmon-precreate",
                ["cleanup", "--quiet", "--rootdir", state["rootdir"], "--run-uid", state["run_uid"]],
                timeout=CLEANUP_SECONDS,
                log=self._log,
                warn=lambda text: sys.stderr.write(f"testmon-precreate: {text}\n"),
                coordination_directory=state["coordination_directory"],
            )
        except CommandFailed as error:
            sys.stderr.write(f"testmon-precreate: {error}\n")
