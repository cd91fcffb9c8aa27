"""The plugin changes nothing that can be observed when a process ends: what users' objects write then, they write.

Each run is made without the plugin and with it; afterwards the directories hold the same files with the same bytes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import Dict, List, Tuple

import pytest
from plugin_support import MIDDLE, NEW, plugin_environment
from pythons import python_of
from support import Project

# Objects that have something to do when they are finalised or when the process ends, on what they hang and who makes
# them. Each writes a file of its own, named after its kind and the process.
KINDS = '''
import atexit, csv, gzip, io, os, sqlite3, socket, tempfile, weakref, zipfile
import pytest

WHO = os.environ.get("PYTEST_XDIST_WORKER", "controller")
HERE = os.path.dirname(os.path.abspath(__file__))


def path(kind):
    return os.path.join(HERE, "written", f"{kind}-{WHO}")


class Speaker:
    """Writes when it is finalised."""

    def __init__(self, kind):
        self.me = self  # only the cycle collector ends it
        self.path, self.open, self.write = path(kind), os.open, os.write
        self.flags = os.O_CREAT | os.O_WRONLY

    def __del__(self):
        self.write(self.open(self.path, self.flags), b"ended")


class Writer:
    """Has written to buffers that are never flushed.

    Not a cycle itself: which of a file's layers the collector closes first, and so whether its buffer is lost, differs
    between two runs of pytest alone.
    """

    def __init__(self, kind):
        self.text = open(path(kind + "-text"), "w")
        self.text.write("buffered text")
        self.raw = open(path(kind + "-raw"), "wb")
        self.raw.write(b"buffered bytes")
        self.rows = csv.writer(open(path(kind + "-csv"), "w", newline=""))
        self.rows.writerow(["a", "b"])
        self.gzip = gzip.GzipFile(path(kind + "-gzip"), "wb", mtime=0)
        self.gzip.write(b"compressed")
        self.zip = zipfile.ZipFile(path(kind + "-zip"), "w")
        self.zip.writestr(zipfile.ZipInfo("member"), "archived")


class Holder:
    """Holds what cleans up after itself."""

    def __init__(self, kind):
        self.me = self
        os.makedirs(os.path.join(HERE, "temporary"), exist_ok=True)
        self.directory = tempfile.TemporaryDirectory(dir=os.path.join(HERE, "temporary"))
        self.database = sqlite3.connect(path(kind + "-sqlite"))
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("CREATE TABLE t (x)")
        self.database.commit()
        self.pair = socket.socketpair()
        self.finalizer = weakref.finalize(self, os.close, os.open(path(kind + "-finalize"), os.O_CREAT))
        weakref.finalize(self, Speaker, kind + "-made-late")


def make(kind):
    os.makedirs(os.path.join(HERE, "written"), exist_ok=True)
    return [Speaker(kind), Writer(kind), Holder(kind)]


MODULE_LEVEL = make("module")
atexit.register(lambda: open(path("atexit"), "w").write("at exit"))


class Log:
    def __init__(self, kind):
        self.file = open(path(kind), "w")

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.file.write("x")


def pytest_configure(config):
    config.users_objects = make("config")
    config.pluginmanager.users_objects = make("manager")
    config.pluginmanager.register(Log("log"))
    config.stash[pytest.StashKey()] = make("stash") if hasattr(config, "stash") else None


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    session.users_objects = make("session")


@pytest.fixture(scope="session", autouse=True)
def users_fixture():
    objects = make("fixture")
    yield objects
'''

ENDS = {
    "normal": ("", []),
    "failure": ("def test_fails():\n    assert False\n", []),
    "exit-first": ("def test_fails():\n    assert False\n", ["-x"]),
    "pytest-exit": ("import pytest\ndef test_exits():\n    pytest.exit('enough')\n", []),
    "internal-error": ("", ["-p", "broken_plugin"]),
    "interrupt": ("import os, signal, time\ndef test_waits():\n    open('waits', 'w').close()\n    time.sleep(30)\n", []),
}
BROKEN_PLUGIN = "def pytest_sessionfinish(session):\n    raise RuntimeError('broken')\n"


def make_project(path: Path, end: str) -> Project:
    project = Project.sample(path, test_files=1)
    (path / "conftest.py").write_text(KINDS)
    (path / "broken_plugin.py").write_text(BROKEN_PLUGIN)
    if ENDS[end][0]:
        (path / "tests" / "test_end.py").write_text(ENDS[end][0])
    return project


def run_to_its_end(project: Project, command, environment, end: str) -> int:
    with open(project.path / "output", "w") as output:
        process = subprocess.Popen(
            command, cwd=project.path, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        if end == "interrupt":
            from plugin_support import wait_until

            wait_until((project.path / "waits").exists, process)
            process.send_signal(signal.SIGINT)
        try:
            return process.wait(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def files_of(directory: Path) -> Dict[str, bytes]:
    """Every file but what no two runs have alike."""
    left_out = ("output", "__pycache__", ".pytest_cache")
    files = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_file() and not any(part in left_out for part in path.parts):
            # A database's bytes hold a change counter; that it is there, and whether with a log beside it, counts.
            files[name] = b"" if "testmondata" in name or "sqlite" in name else path.read_bytes()
    return files


def differences(venv, commands, project_path: Path, end: str, workers: str) -> List[str]:
    """The files that a run without the plugin and one with it leave differently."""
    outcomes: Dict[str, Tuple[int, Dict[str, bytes]]] = {}
    for name, environment in (("stock", venv.environment()), ("ours", plugin_environment(venv, commands))):
        project = make_project(project_path, end)
        # The same objects in every run, whatever order sets have.
        environment = {**environment, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        environment["PYTHONPATH"] = f"{project.path}:{environment.get('PYTHONPATH', '')}"
        command = [venv.python, "-m", "pytest", "--testmon", "-n", workers, *ENDS[end][1]]
        outcomes[name] = (run_to_its_end(project, command, environment, end), files_of(project.path))
        kept = project_path.with_name(name)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.move(str(project.path), str(kept))
    # The WAL of testmon's own file is folded in by our clean-up: that is what `cleanup` is for.
    stock_files = {name: data for name, data in outcomes["stock"][1].items() if "testmondata-" not in name}
    our_files = outcomes["ours"][1]
    assert not [name for name in our_files if name.startswith(".testmondata-")], sorted(our_files)
    assert outcomes["ours"][0] == outcomes["stock"][0], (kept / "output").read_text()
    assert b"buffered text" in our_files.values()
    names = {*our_files, *stock_files}
    return [name for name in sorted(names) if our_files.get(name) != stock_files.get(name)]


@pytest.mark.parametrize("workers, end", [("0", "normal"), ("2", "normal"), *(("1", end) for end in ENDS)])
@pytest.mark.parametrize("requirements, python", [(MIDDLE, "3.9"), (NEW, None)], ids=["testmon-2.1.3", "testmon-2.2.0"])
def test_every_byte_is_as_without_us(requirements, python, end, workers, venvs, commands, tmp_path):
    venv = venvs.get(*requirements, python=python and python_of(python))
    # Two runs of pytest alone differ now and then: which worker gets which test, and which layer of a buffered file in
    # a cycle the collector closes first. What the plugin loses, it loses in every run.
    found = [differences(venv, commands, tmp_path / "project", end, workers)]
    while found[-1] and len(found) < 4:
        found.append(differences(venv, commands, tmp_path / "project", end, workers))
    assert found[-1] == [], found


def test_sqlite_connections_are_closed(venvs, commands, project):
    """testmon never closes its own: that is left to the last collection, which folds the log in."""
    venv = venvs.get(*NEW)
    result = project.run([venv.python, "-m", "pytest", "--testmon", "-n", "2"], plugin_environment(venv, commands))
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in project.path.glob(".testmondata*")) == [".testmondata"]
    connection = sqlite3.connect(f"file:{project.datafile}?mode=ro&immutable=1", uri=True)
    assert connection.execute("SELECT count(*) FROM test_execution").fetchone() == (4,)
    connection.close()
