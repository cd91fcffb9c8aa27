"""The commands as people and scripts call them: results, bad input, exit codes, nothing lost."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from namespaces import namespace
from support import clean_environment


@pytest.fixture(scope="module")
def venv(venvs):
    return venvs.get("pytest-testmon==2.1.3", "pytest-xdist")


@pytest.fixture
def prepare(commands, project, venv):
    """Runs `testmon-precreate prepare` in the sample project."""

    def run(*arguments, environment=None, cwd=None, **variables):
        return commands.run(
            commands.precreate,
            "prepare",
            *arguments,
            cwd=cwd or project.path,
            env=environment or venv.environment(commands, **variables),
        )

    return run


def fails(result, code, *words):
    assert result.returncode == code, result.stdout + result.stderr
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if ": error: " in line]
    for word in words:
        assert word in line, line
    return True


def test_prepare_makes_everything_ready(prepare, project, venv):
    result = prepare("-n", "4")
    assert result.returncode == 0, result.stderr
    assert "default" in result.stdout and "created" in result.stdout
    state = json.loads((project.path / ".testmon_xdist" / "controller_ready.json").read_text())
    assert state["environment_action"] == "created"
    assert state["expected_workers"] == 4
    assert state["precreated_entries"]["test_file_count"] == 2
    rows = project.rows("SELECT id, environment_name, system_packages, python_version FROM environment")
    assert rows == [(state["environment_id"], "default", state["system_packages"], state["python_version"])]
    listed = (project.path / ".testmon_xdist" / "test_files.txt").read_text()
    assert listed == "tests/test_price_0.py\ntests/test_price_1.py\n"


def test_environment_key_is_what_testmon_computes(prepare, project, venv):
    state = json.loads(prepare("--json").stdout)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from testmon.common import get_system_packages as g, drop_patch_version as d;"
        "print(g()); print(d(g()))"
    )
    oracle = subprocess.run([venv.python, "-c", script, str(project.path)], text=True, capture_output=True, check=True)
    assert [state["system_packages_full"], state["system_packages"]] == oracle.stdout.splitlines()


def test_json_is_the_state_that_is_written(prepare, project):
    result = prepare("--json")
    assert json.loads(result.stdout) == json.loads((project.path / ".testmon_xdist/controller_ready.json").read_text())


def test_no_subcommand_means_prepare(commands, project, venv):
    result = commands.run(commands.precreate, "--json", cwd=project.path, env=venv.environment(commands))
    assert json.loads(result.stdout)["environment_action"] == "created"


def test_dry_run_writes_nothing(prepare, project):
    before = sorted(project.path.rglob("*"))
    result = prepare("--dry-run")
    assert result.returncode == 0 and "would be created" in result.stdout
    assert sorted(project.path.rglob("*")) == before


def test_second_prepare_reuses_the_row(prepare, project):
    first = json.loads(prepare("--json").stdout)
    second = json.loads(prepare("--json").stdout)
    assert second["environment_action"] == "reused"
    assert second["environment_id"] == first["environment_id"]


def test_switched_off(prepare, project):
    result = prepare(TESTMON_XDIST_CONTROLLER_PRECREATION="false")
    assert result.returncode == 0
    assert "TESTMON_XDIST_CONTROLLER_PRECREATION" in result.stderr
    assert result.stdout == ""
    assert not project.datafile.exists() and not (project.path / ".testmon_xdist").exists()


def test_no_python(prepare, commands, tmp_path):
    result = prepare(environment=clean_environment(PATH=str(tmp_path)))
    assert fails(result, 10, "python3")


def test_no_such_python(prepare):
    assert fails(prepare("--python", "/no/such/python"), 10, "/no/such/python")


def test_a_python_without_testmon(prepare, venvs):
    bare = venvs.get()
    assert fails(prepare("--python", bare.python), 10, "testmon", bare.python)


@pytest.mark.parametrize("version", ["2.0.15", "2.0.14"])
def test_a_testmon_that_cannot_work_under_xdist(prepare, venvs, version):
    venv = venvs.get(f"pytest-testmon=={version}", "pytest-xdist")
    assert fails(prepare("--python", venv.python), 10, version)


def test_a_rootdir_that_does_not_exist(prepare):
    assert fails(prepare("--rootdir", "no/such/dir"), 2, "no/such/dir")


def test_a_configuration_that_cannot_be_parsed(prepare, project):
    (project.path / "pytest.ini").write_text("[pytest]\nthis is no option\n")
    assert fails(prepare(), 2, "pytest.ini", "2")


@pytest.mark.parametrize("wrapped", [False, True], ids=["", "wrapped"])
@pytest.mark.parametrize("pytest_version, environment", [("8.4.2", "from-ini"), ("9.0.3", "from-toml")])
def test_the_configuration_is_that_of_the_pytest_in_use(
    prepare, project, venvs, tmp_path, pytest_version, environment, wrapped
):
    """pytest reads pytest.toml from version 9 on; an older one passes over it.

    Beside a wrapper of the interpreter there is no pytest: its version is known only after the interpreter has answered.
    """
    (project.path / "pytest.toml").write_text('[pytest]\nenvironment_expression = "\'from-toml\'"\npythonpath = ["."]\n')
    (project.path / "pytest.ini").write_text("[pytest]\nenvironment_expression = 'from-ini'\npythonpath = .\n")
    venv = venvs.get("pytest-testmon==2.2.0", "pytest-xdist", f"pytest=={pytest_version}")
    python = Path(venv.python)
    if wrapped:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec "{venv.python}" "$@"\n')
        python.chmod(0o755)
    state = json.loads(prepare("--json", "--python", str(python)).stdout)
    assert state["environment_name"] == environment
    # What is beside the file that counts, pytest reads from version 9 on.
    (project.path / "tox.ini").write_text("[pytest\n")
    result = prepare("--json", "--python", str(python))
    if environment == "from-ini":
        assert json.loads(result.stdout)["environment_name"] == environment
    else:
        assert fails(result, 2, "tox.ini")


def test_a_data_file_that_is_no_database(prepare, project):
    project.datafile.write_bytes(b"x" * 5000)
    assert fails(prepare(), 8, str(project.datafile))
    assert project.datafile.read_bytes() == b"x" * 5000


def test_an_unknown_data_version_is_never_deleted(prepare, project):
    connection = sqlite3.connect(project.datafile)
    connection.executescript("CREATE TABLE precious (x); INSERT INTO precious VALUES (1); PRAGMA user_version = 99;")
    connection.close()
    before = project.datafile.read_bytes()
    assert fails(prepare(), 8, "99", str(project.datafile))
    assert project.datafile.read_bytes() == before


def test_a_read_only_directory(project, commands, venv):
    prepare = [*namespace(read_only=project.path), commands.precreate, "prepare"]
    result = commands.run(*prepare, cwd=project.path, env=venv.environment(commands))
    assert fails(result, 8, ".testmondata", "Read-only")
    assert not project.datafile.exists()


@pytest.mark.parametrize("worker", ["../x", "", ".x", "a/b", "x" * 65])
def test_worker_ids_that_could_leave_the_directory(commands, project, worker):
    result = commands.run(commands.await_, "--worker", worker, "--timeout", "0", cwd=project.path)
    assert fails(result, 2, "worker")


def test_a_boolean_that_is_none(prepare):
    result = prepare(TESTMON_XDIST_CONTROLLER_PRECREATION="maybe")
    assert fails(result, 2, "TESTMON_XDIST_CONTROLLER_PRECREATION", "maybe")


def test_a_number_that_is_none(prepare):
    assert fails(prepare(TESTMON_XDIST_STATE_MAX_AGE="long"), 2, "TESTMON_XDIST_STATE_MAX_AGE")


def test_a_wrong_option(prepare):
    assert fails(prepare("--no-such-option"), 2, "--no-such-option")


def test_a_positional_argument(prepare):
    assert fails(prepare("tests"), 2, "tests")


def test_a_controller_that_does_not_live(prepare):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert fails(prepare("--controller-pid", str(process.pid)), 2, str(process.pid))


@pytest.mark.parametrize("command", ["precreate", "await_"])
def test_help_shows_an_example_and_version_the_data_versions(commands, tmp_path, command):
    program = getattr(commands, command)
    result = commands.run(program, "--help", cwd=tmp_path)
    assert result.returncode == 0 and "Example" in result.stdout and result.stderr == ""
    result = commands.run(program, "--version", cwd=tmp_path)
    assert result.returncode == 0 and "data versions 12 to 14" in result.stdout


def test_debug_log_goes_to_standard_error(prepare):
    result = prepare("--json", TESTMON_XDIST_DEBUG="1")
    json.loads(result.stdout)
    assert "rootdir" in result.stderr and "testmon-precreate[" in result.stderr


def test_no_colour_where_there_is_no_terminal(prepare):
    assert "\033" not in prepare("--rootdir", "no/such/dir").stderr
