"""`testmon-precreate run` with commands that are not simple: what worked without it works with it."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing

import pytest

from coordination_support import wait_until_blocked
from plugin_support import MIDDLE, NEW, OLD, seen_by_workers, watch_coordination
from pythons import python_of

ALL = 4
RUN = ["--testmon", "-n", "2"]


@pytest.mark.parametrize(
    "command",
    [
        ["env", "PYTHONPATH=src", "python", "-m", "pytest", *RUN],
        ["python", "-I", "-m", "pytest", *RUN],
        ["python", "-S", "-c", "print('1 passed')"],
        ["sh", "-c", "PYTHONPATH=src exec pytest --testmon -n 2"],
    ],
    ids=["env", "isolated", "no site", "shell"],
)
def test_pytest_does_not_see_the_plugin(command, venvs, commands, project):
    environment = venvs.get(*NEW).environment()
    result = project.run([commands.precreate, "run", "--", *command], environment)
    assert result.exit_code == 0 and "ImportError" not in result.output, result.output
    assert not (project.path / ".testmon_xdist").exists()


@pytest.mark.parametrize("requirements, python", [(OLD, "3.8"), (MIDDLE, "3.9"), (NEW, None)])
def test_only_pytest_itself_learns_of_the_plugin(requirements, python, venvs, commands, project):
    """A `sitecustomize` of the user's counts as before, and no process that a test starts learns of the plugin."""
    venv = venvs.get(*requirements, python=python and python_of(python))
    watch_coordination(project)
    theirs = project.path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text("import os\nos.environ['THEIRS'] = __file__\n")
    (theirs / "their_plugin.py").write_text("def pytest_report_header(config): return 'their plugin is here'\n")
    (project.path / "tests" / "test_environment.py").write_text(
        "import os, sys\n"
        "def test_environment():\n"
        "    assert os.environ.get('PYTEST_PLUGINS') == 'their_plugin'\n"
        "    assert 'theirs' in os.environ['THEIRS']\n"
        "    assert 'theirs' in sys.modules['sitecustomize'].__file__\n"
    )
    environment = venv.environment(PYTHONPATH=str(theirs), PYTEST_PLUGINS="their_plugin")
    result = project.run([commands.precreate, "run", "--", venv.python, "-m", "pytest", *RUN], environment)
    assert (result.exit_code, result.passed) == (0, ALL + 1), result.output
    assert "their plugin is here" in result.output
    assert seen_by_workers(project) == ["True True"] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_while_it_waits_for_a_run_does_not_start_the_command(number, rootdir, controller):
    rootdir.write_state(run_uid="r1", **controller.state())
    process = rootdir.start(
        *("run", *rootdir.prepare_arguments()[1:], "--wait-for-run", "30", "--", "sh", "-c", "touch started"),
        command=rootdir.commands.precreate,
    )
    wait_until_blocked(process)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert not (rootdir.path / "started").exists()
def test_a_forked_child_of_the_controller_ends_no_run(venvs, commands, project):
    watch_coordination(project)
    with open(project.path / "conftest.py", "a") as conftest:
        conftest.write(
            "import signal\n"
            "def pytest_sessionstart(session):\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            "        os.kill(os.getpid(), signal.SIGTERM)\n"
            "    os.waitpid(child, 0)\n"
        )
    environment = venvs.get(*NEW).environment()
    result = project.run([commands.precreate, "run", "--", "pytest", *RUN], environment)
    assert seen_by_workers(project) == ["True True"] * 2, result.output
    assert "testmon-precreate:" not in result.output


@pytest.mark.parametrize(
    "files",
    [
        {"pytest.ini": "[pytest]\npythonpath = .\n", "setup.cfg": "[pytest]\naddopts = -x\n"},
        {"pytest.ini": "[pytest]\npythonpath = .\n", "tox.ini": "[pytest]\naddopts = -x\naddopts = -q\n"},
        {"pyproject.toml": "[tool.pytest]\nx = 1\n[tool.pytest.ini_options]\npythonpath = '.'\n"},
    ],
    ids=["setup.cfg", "tox.ini", "pyproject.toml"],
)
def test_a_configuration_that_a_newer_pytest_would_refuse(files, venvs, commands, project):
    venv = venvs.get(*MIDDLE)
    (project.path / "pytest.ini").unlink()
    for name, text in files.items():
        (project.path / name).write_text(text)
    environment = venv.environment()
    prepared = project.run([commands.precreate, "prepare", "--python", venv.python], environment)
    assert prepared.exit_code == 0 and "data file" in prepared.output, prepared.output
    assert project.run([commands.precreate, "environments"], environment).exit_code == 0
    result = project.run([commands.precreate, "run", "--", "pytest", *RUN], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "testmon-precreate:" not in result.output and "warning:" not in result.output, result.output


def test_the_data_file_is_complete_though_the_plugin_took_no_part(venvs, commands, project):
    """A pytest that ends without closing it leaves the WAL; `run` merges it."""
    environment = venvs.get(*NEW).environment()
    (project.path / "conftest.py").write_text(
        "import os\ndef pytest_terminal_summary():\n    os._exit(0)\n"
    )
    log = project.path / ".testmondata-wal"
    command = ["pytest", "-p", "no:testmon-precreate", *RUN]
    assert project.run(command, environment).exit_code == 0
    assert log.stat().st_size > 0, "nothing to fold: this test shows nothing"
    assert project.run([commands.precreate, "run", "--", *command], environment).exit_code == 0
    assert not log.exists() or log.stat().st_size == 0
    assert project.rows("SELECT count(*) FROM test_execution") == [(ALL,)]


def test_cleanup_finds_the_project_from_a_subdirectory(venvs, commands, project):
    venv = venvs.get(*NEW)
    assert project.run([venv.python, "-m", "pytest", *RUN], venv.environment()).exit_code == 0
    log = project.path / ".testmondata-wal"
    with closing(sqlite3.connect(project.datafile)) as connection:
        connection.execute("CREATE TABLE theirs (value)")
        connection.commit()
        assert log.stat().st_size > 0
        result = commands.run(commands.precreate, "cleanup", cwd=project.path / "tests", env=venv.environment())
        assert result.returncode == 0 and str(project.datafile) in result.stdout, result.stdout
        assert log.stat().st_size == 0


def test_prepare_takes_a_whole_command(venvs, commands, project):
    venv = venvs.get(*NEW)
    for command in (["pytest", "tests"], [str(venv.path / "bin" / "pytest"), "tests"]):
        result = project.run([commands.precreate, "prepare", "--json", "--", *command], venv.environment())
        assert result.exit_code == 0 and "warning" not in result.output, result.output
        assert json.loads(result.output)["precreated_entries"]["test_file_count"] == 2
    (project.path / "pytest").mkdir()
    result = project.run([commands.precreate, "prepare", "--json", "--", "pytest"], venv.environment())
    assert json.loads(result.output)["precreated_entries"]["test_file_count"] == 0


def test_options_that_cannot_be_obeyed_are_told(venvs, commands, project):
    environment = venvs.get(*NEW).environment()
    refused = project.run([commands.precreate, "run", "--wait-for-run", "abc", "--", "touch", "started"], environment)
    assert refused.exit_code == 2 and "--wait-for-run" in refused.output
    assert not (project.path / "started").exists()
    command = ["run", "--testmon-env", "other", "-n", "7", "--", "pytest", *RUN]
    result = project.run([commands.precreate, *command], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "--testmon-env, --workers have no effect here" in result.output


def test_no_upgrade_keeps_the_data_file_from_a_testmon_that_would_start_again(venvs, commands, project):
    assert project.run(["pytest", *RUN], venvs.get(*MIDDLE).environment()).exit_code == 0
    before = project.rows("SELECT count(*) FROM test_execution")
    result = project.run([commands.precreate, "run", "--no-upgrade", "--", "pytest", *RUN], venvs.get(*NEW).environment())
    assert result.exit_code == 8, result.output
    assert project.rows("SELECT count(*) FROM test_execution") == before == [(ALL,)]


def test_what_is_done_to_the_data_file_is_told(venvs, commands, project):
    run = [commands.precreate, "run", "--rebuild", "--", "pytest", *RUN]
    project.datafile.write_text("this is not a database, and long enough to be seen as none" * 20)
    rebuilt = project.run(run, venvs.get(*MIDDLE).environment())
    assert (rebuilt.exit_code, rebuilt.passed) == (0, ALL), rebuilt.output
    assert ".testmondata.damaged-1" in rebuilt.output and "goes on without it" not in rebuilt.output
    converted = project.run(run, venvs.get(*NEW).environment())
    assert (converted.exit_code, converted.passed) == (0, ALL), converted.output  # other packages
    assert "data file converted from data version 13, after a backup" in converted.output
    again = project.run(run, venvs.get(*NEW).environment())
    assert "testmon-precreate:" not in again.output, again.output
