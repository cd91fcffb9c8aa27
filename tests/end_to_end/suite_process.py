"""The suite as a process among others: it can be ended, be started by nohup, shows that it goes on and cleans up.

Tests start sessions and process groups of their own, which nothing ends when the suite is ended. So every process of
the suite carries a variable in its environment by which what is left is found in the end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Dict, Iterator, Optional

import pytest

MARK = "END_TO_END_SUITE"  # not TESTMON_…: clean_environment() keeps it
IGNORED = "END_TO_END_IGNORED_SIGNALS"
QUIET_SECONDS = float(os.environ.get("END_TO_END_QUIET_SECONDS", "20"))


def default_signals_for_children() -> None:
    """What `nohup` or a shell's `&` made this process ignore, its children would ignore as well, and tests send just
    these signals. A handler goes on ignoring them here, and is the default again in whatever is executed."""
    given = os.environ.get(IGNORED, "").split()
    ignored = {int(number) for number in given} | {
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
        if signal.getsignal(number) == signal.SIG_IGN
    }
    os.environ[IGNORED] = " ".join(str(int(number)) for number in sorted(ignored))
    for number in ignored:
        signal.signal(number, lambda *_: None)


def end_orderly(number: int, frame: Optional[FrameType]) -> None:
    raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")


def others_with_mark(mark: str) -> Iterator[int]:
    """Processes of this suite but this one; a pid may be gone when it is used."""
    searched = f"{MARK}={mark}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if searched in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name)
            except OSError:
                continue


class Controller:
    """In pytest's own process, or in that of xdist's controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.mark = os.environ[MARK] = uuid.uuid4().hex
        self.running: Dict[str, float] = {}
        self.ended = 0
        self.last_output = time.monotonic()
        self.over = threading.Event()
        self.keeps_files = False
        # All that the tests and their processes put into the temporary directory goes with this one.
        self.temporary = Path(tempfile.mkdtemp(prefix="end-to-end-"))
        self.temporary.chmod(0o755)  # some tests run as another user
        os.environ["TMPDIR"] = tempfile.tempdir = str(self.temporary)
        # So do caches, apart from those that make the next run quick.
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        for variable, name in (("UV_CACHE_DIR", "uv"), ("PIP_CACHE_DIR", "pip"), ("CCACHE_DIR", "ccache")):
            os.environ.setdefault(variable, str(caches / name))
        os.environ["XDG_CACHE_HOME"] = str(self.temporary / "cache")
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, end_orderly)

    def pytest_sessionstart(self) -> None:
        threading.Thread(target=self.show_that_it_goes_on, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.running.pop(nodeid, None)
        self.ended += 1
        self.last_output = time.monotonic()

    def show_that_it_goes_on(self) -> None:
        """A line if no test has ended for a while: which ones are at work, and since when."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        while not self.over.wait(min(1, QUIET_SECONDS)):
            now = time.monotonic()
            if now - self.last_output < QUIET_SECONDS or reporter is None:
                continue
            self.last_output = now
            running = [f"{name} ({now - since:.0f} s)" for name, since in list(self.running.items())]
            if self.config.get_terminal_writer().width_of_current_line > 0:
                reporter.write_line("")
            reporter.write_line(f"   {self.ended} tests have ended; running: {', '.join(running) or 'none'}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        self.keeps_files = exitstatus == pytest.ExitCode.TESTS_FAILED
        if self.keeps_files:
            terminalreporter.write_line(f"The files of the failed tests are kept: {self.temporary}")

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        self.over.set()
        for pid in others_with_mark(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not self.keeps_files:
            subprocess.run(["chmod", "-R", "u+rwX", str(self.temporary)], stderr=subprocess.DEVNULL)
            shutil.rmtree(self.temporary, ignore_errors=True)
