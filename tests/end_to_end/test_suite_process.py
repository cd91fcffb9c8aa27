"""These tests as a process: ended, started by nohup, watched."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plugin_support import wait_until
from support import clean_environment
from test_run import is_alive

HERE = Path(__file__).resolve().parent

CONFTEST = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from suite_process import Controller, default_signals_for_children

def pytest_configure(config):
    default_signals_for_children()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config))
"""

STARTS_A_SESSION = """
import os, pathlib, subprocess, tempfile, time

def test_slow():
    process = subprocess.Popen(["sleep", "120"], start_new_session=True)
    tempfile.mkdtemp(prefix="left-")
    pathlib.Path("pid").write_text(f"{process.pid} ")
    time.sleep(120)
"""

SENDS_SIGNALS = """
import os, signal, subprocess, sys, pytest

@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT"])
def test_children(name):
    child = subprocess.run(["sh", "-c", f"ulimit -c 0; kill -{name} $$"])
    assert child.returncode == -getattr(signal, f"SIG{name}")

def test_the_suite_itself_goes_on_ignoring():
    os.kill(os.getpid(), signal.SIGHUP)
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.kill(os.getppid(), signal.SIGHUP)
"""


@pytest.fixture
def suite(tmp_path: Path):
    """Starts a suite of one file; returns its process and the temporary directory."""
    directory, temporary = tmp_path / "suite", tmp_path / "temporary"
    directory.mkdir()
    temporary.mkdir()
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "pytest.ini").write_text("[pytest]\n")

    def start(test: str, prefix: str, *arguments: str, **variables: str) -> subprocess.Popen:
        (directory / "test_it.py").write_text(test)
        environment = clean_environment(TMPDIR=str(temporary), END_TO_END_IGNORED_SIGNALS="", **variables)
        script = f'{prefix} "$@"'
        return subprocess.Popen(
            ["bash", "-c", script, "bash", sys.executable, "-m", "pytest", "-q", *arguments],
            cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    start.directory, start.temporary = directory, temporary
    return start


@pytest.mark.parametrize("workers", ["0", "1"])
@pytest.mark.parametrize(
    "prefix", ["exec", f'. "{HERE.parents[1]}/scripts/common.sh"; "${{ends_with_us[@]}}"'], ids=["itself", "its script"]
)
def test_ended_by_sigterm_it_leaves_nothing_behind(prefix, workers, suite):
    process = suite(STARTS_A_SESSION, prefix, "-n", workers)
    pid = suite.directory / "pid"
    wait_until(lambda: pid.exists() and pid.read_text().endswith(" "), process)
    sleeper = int(pid.read_text())
    assert is_alive(sleeper) and any(suite.temporary.rglob("left-*"))
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    wait_until(lambda: not is_alive(sleeper), seconds=30)
    wait_until(lambda: not any(suite.temporary.iterdir()), seconds=30)
    assert process.returncode != 0, output


@pytest.mark.parametrize("workers", ["0", "1"])
def test_signals_that_nohup_has_it_ignore_reach_the_tests_children(workers, suite):
    process = suite(SENDS_SIGNALS, "trap '' HUP INT QUIT; exec", "-n", workers)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "4 passed" in output, output


def test_it_says_what_is_at_work(suite):
    test = "import time\n\ndef test_slow():\n    time.sleep(4)\n"
    process = suite(test, "exec", "-n", "1", END_TO_END_QUIET_SECONDS="1")
    output = process.communicate(timeout=60)[0]
    assert "0 tests have ended; running: test_it.py::test_slow (" in output, output


def test_the_files_of_failed_tests_are_kept(suite):
    test = "def test_fails(tmp_path):\n    (tmp_path / 'kept').touch()\n    assert False\n"
    output = suite(test, "exec").communicate(timeout=60)[0]
    (kept,) = suite.temporary.iterdir()
    assert str(kept) in output and any(kept.rglob("kept"))
