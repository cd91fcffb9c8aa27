"""If something in testmon-precreate fails: one warning, and the run goes on as it would without it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from plugin_support import (
    MIDDLE,
    NEW,
    assert_clean,
    end,
    plugin_environment,
    run,
    seen_by_workers,
    start_slow_run,
    watch_coordination,
)
from pythons import python_of

ALL = 4
WARNING = "the run goes on without it"


def assert_one_warning(result, text):
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert result.output.count(WARNING) == 1, result.output
    assert text in result.output, result.output


def fake_commands(directory: Path, commands, **scripts: str) -> str:
    """A directory with the commands, some of them replaced by a script."""
    directory.mkdir()
    for name in ("testmon-precreate", "testmon-await"):
        script = scripts.get(name.replace("-", "_"))
        if script is None:
            (directory / name).symlink_to(commands.build / "src" / name)
        else:
            (directory / name).write_text(f"#!/bin/sh\n{script}\n")
            (directory / name).chmod(0o755)
    return str(directory)


@pytest.mark.parametrize("options", [[], ["-W", "error"]], ids=str)
def test_commands_are_missing(options, venvs, commands, project):
    venv = venvs.get(*NEW)
    path = f"{venv.path / 'bin'}:/usr/bin:/bin"
    result = run(project, venv, plugin_environment(venv, commands, PATH=path), "-n", "2", *options)
    assert_one_warning(result, "testmon-precreate was found neither in")


@pytest.mark.parametrize("value", ["maybe", "2"])
@pytest.mark.parametrize("name", ["TESTMON_XDIST_CONTROLLER_PRECREATION", "TESTMON_XDIST_NOTIFICATIONS"])
def test_switch_cannot_be_read(name, value, venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands, **{name: value})
    assert_one_warning(run(project, venv, environment, "-n", "2"), name)


@pytest.mark.parametrize(
    "script, text",
    [
        ("echo 'testmon-precreate: error: it broke' >&2; exit 6", "it broke"),
        ("echo nonsense", "no usable state"),
        ("exit 0", "no usable state"),
        ("kill -SEGV $$", "exit code -11"),
    ],
    ids=["fails", "prints-nonsense", "prints-nothing", "crashes"],
)
def test_prepare_fails(script, text, venvs, commands, project, tmp_path):
    venv = venvs.get(*NEW)
    directory = fake_commands(tmp_path / "bin", commands, testmon_precreate=script)
    environment = plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR=directory)
    started = time.monotonic()
    assert_one_warning(run(project, venv, environment, "-n", "2"), text)
    assert time.monotonic() - started < 25  # no worker waits for a state that will not come


def test_await_fails_in_every_worker(venvs, commands, project, tmp_path):
    venv = venvs.get(*NEW)
    directory = fake_commands(tmp_path / "bin", commands, testmon_await="echo 'testmon-await: error: too bad' >&2; exit 4")
    environment = plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR=directory)
    result = run(project, venv, environment, "-n", "4")
    assert_one_warning(result, "too bad")
    assert not (project.path / ".testmon_xdist").exists()


def test_coordination_directory_cannot_be_made(venvs, commands, project):
    venv = venvs.get(*NEW)
    (project.path / ".testmon_xdist").write_text("a file")
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2")
    assert_one_warning(result, ".testmon_xdist")
    assert (project.path / ".testmon_xdist").read_text() == "a file"


def test_an_earlier_run_was_killed(venvs, commands, project):
    """What it left is not an obstacle, and is gone afterwards."""
    venv = venvs.get(*NEW)
    process = start_slow_run(project, venv, plugin_environment(venv, commands))
    os.killpg(process.pid, 9)
    process.communicate()
    assert (project.path / ".testmon_xdist" / "controller_ready.json").exists()
    (project.path / "tests" / "test_slow.py").unlink()
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2")
    assert result.exit_code == 0, result.output
    assert_clean(project, result)


def test_three_separate_steps_with_the_plugin_between(venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    watch_coordination(project)
    prepared = commands.run(commands.precreate, "prepare", "-n", "2", cwd=project.path, env=environment)
    assert prepared.returncode == 0, prepared.stderr
    result = run(project, venv, environment, "-n", "2")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert seen_by_workers(project) == ["True True"] * 2
    cleaned = commands.run(commands.precreate, "cleanup", cwd=project.path, env=environment)
    assert cleaned.returncode == 0, cleaned.stderr
    assert_clean(project, result)


def test_workers_that_do_not_collect_stay_read_only(venvs, commands, project):
    """testmon 2.2.0 lets each such worker open the file for writing; with us none does."""
    venv = venvs.get(*NEW)
    assert run(project, venv, plugin_environment(venv, commands), "-n", "2").exit_code == 0
    project.edit_function(0)
    (project.path / "conftest.py").write_text(
        "import os, pathlib, pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_configure(config):\n"
        "    worker = os.environ.get('PYTEST_XDIST_WORKER')\n    if worker:\n"
        "        db = config.testmon_data.db\n"
        "        mode = 'reads' if db._readonly else 'writes'\n"
        "        pathlib.Path(__file__).with_name(worker + '.mode').write_text(f'{mode} {config.testmon_data.exec_id}')\n"
    )

    def modes(environment):
        result = run(project, venv, environment, "-n", "2", "--testmon-nocollect")
        assert result.exit_code == 0, result.output
        return result.passed, {file.read_text().split()[0] for file in project.path.glob("gw*.mode")}

    stock_passed, stock_modes = modes(venv.environment())
    our_passed, our_modes = modes(plugin_environment(venv, commands, TESTMON_XDIST_WORKERS="fixed"))
    assert stock_modes == {"writes"}
    assert our_modes == {"reads"}
    assert our_passed == stock_passed == 2


@pytest.mark.skipif(shutil.which("strace") is None and os.environ.get("CI") != "true", reason="NO strace")
def test_write_locks_of_workers(venvs, commands, project):
    """Counted at the system calls: how often the workers lock the data file for writing."""
    venv = venvs.get(*NEW)
    assert run(project, venv, plugin_environment(venv, commands), "-n", "2").exit_code == 0
    counts = {}
    ours = plugin_environment(venv, commands, TESTMON_XDIST_WORKERS="fixed")
    for name, environment in (("stock", venv.environment()), ("ours", ours)):
        trace = project.path / f"{name}.trace"
        command = ["strace", "-f", "-y", "-qq", "-e", "trace=fcntl,execve", "-e", "signal=none", "-o", str(trace)]
        pytest_command = [venv.python, "-m", "pytest", "--testmon-nocollect", "-n", "4"]
        result = project.run([*command, *pytest_command], environment)
        assert result.exit_code == 0, result.output
        lines = trace.read_text().splitlines()
        no_workers = {lines[0].split()[0]}  # the controller
        no_workers |= {line.split()[0] for line in lines if "execve(" in line and "/testmon-" in line}
        # A write lock of the WAL is an exclusive lock on byte 120 of the shared-memory file.
        counts[name] = sum(
            "testmondata-shm" in line and "F_WRLCK" in line and "l_start=120" in line and line.endswith("= 0")
            for line in lines
            if line.split()[0] not in no_workers
        )
    print(f"write locks taken by 4 workers: stock {counts['stock']}, with us {counts['ours']}")
    assert counts["stock"] >= 4
    assert counts["ours"] == 0


def test_state_of_the_run_names_it(venvs, commands, project):
    """What `status` shows meanwhile: the run id that xdist gives its workers, and this very process."""
    venv = venvs.get(*MIDDLE, python=python_of("3.9"))
    process = start_slow_run(project, venv, plugin_environment(venv, commands))
    state = json.loads((project.path / ".testmon_xdist" / "controller_ready.json").read_text())
    acknowledgment = json.loads((project.path / ".testmon_xdist" / "worker_gw0_ready").read_text())
    end(process, 15)
    assert state["controller_pid"] == process.pid
    assert state["expected_workers"] == 2
    assert state["run_uid"] == acknowledgment["run_uid"]
    assert_clean(project)


def test_import_brings_nothing_along(venvs, commands):
    """The plugin is loaded in every pytest process: of our modules it is the only one, and it needs no other."""
    venv = venvs.get(*NEW)
    code = (
        "import os, sys, pytest, _pytest.config; before = set(sys.modules)\n"
        "import testmon_precreate.plugin\nprint(sorted(set(sys.modules) - before))"
    )
    output = subprocess.check_output([venv.python, "-c", code], env=plugin_environment(venv, commands), text=True)
    assert output.strip() == "['testmon_precreate', 'testmon_precreate.plugin']"


def test_data_file_is_left_to_stock_where_we_cannot_prepare_it(venvs, commands, project):
    """Locked by another process for good: stock's own wait decides, not ours. Here the lock ends in time."""
    venv = venvs.get(*NEW)
    assert run(project, venv, plugin_environment(venv, commands), "-n", "2").exit_code == 0
    connection = sqlite3.connect(project.datafile, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    import threading

    timer = threading.Timer(3, connection.rollback)
    timer.start()
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2")
    timer.join()
    assert result.exit_code == 0, result.output
    assert_clean(project, result)
