"""Runs with and without workers on one data file, runs that fall back to stock testmon, and what each of them keeps."""

from __future__ import annotations

import sqlite3

import pytest
from plugin_support import MIDDLE, NEW, assert_clean, plugin_environment, run
from pythons import python_of
from test_plugin_fallback import fake_commands

ALL = 4


def broken(venv, commands, tmp_path):
    """If no command works, so that each run is left to stock testmon."""
    directory = fake_commands(tmp_path / "bin", commands, testmon_precreate="echo 'testmon-precreate: error: no' >&2; exit 1")
    return plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR=directory)


def recorded_tests(path) -> int:
    connection = sqlite3.connect(path)
    try:
        return connection.execute("SELECT count(*) FROM test_execution").fetchone()[0]
    finally:
        connection.close()


def copies(project):
    return sorted(path.name for path in project.path.glob(".testmondata.backup-*"))


@pytest.mark.parametrize("arguments", [["-n", "2"], ["-n", "0"], ["--collect-only"]], ids=" ".join)
def test_another_data_version_is_copied_before_stock_deletes_it(arguments, venvs, commands, project, tmp_path):
    old = venvs.get(*MIDDLE, python=python_of("3.9"))
    assert run(project, old, plugin_environment(old, commands), "-n", "2").passed == ALL
    new = venvs.get(*NEW)
    result = run(project, new, broken(new, commands, tmp_path), *arguments)
    assert result.exit_code == 0, result.output
    assert "what was there is kept in" in result.output
    assert copies(project) == [".testmondata.backup-1"]
    assert recorded_tests(project.path / ".testmondata.backup-1") == ALL


def test_another_environment_is_copied_before_stock_deletes_it(venvs, commands, project, tmp_path):
    venv = venvs.get(*NEW).copy(tmp_path / "venv")
    environment = broken(venv, commands, tmp_path)
    assert run(project, venv, environment, "-n", "2").passed == ALL
    assert run(project, venv, environment, "-n", "2").passed == 0
    assert copies(project) == []  # nothing is lost if nothing has changed
    for number in range(1, 12):
        venv.add_distribution(f"zzz-{number}", "1.0")
        result = run(project, venv, environment, "-n", "0")
        assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert copies(project) == [f".testmondata.backup-{number}" for number in range(1, 10)]
    assert recorded_tests(project.path / ".testmondata.backup-9") == ALL


def test_testmon_that_keeps_its_rows_needs_no_copy(venvs, commands, project, tmp_path):
    venv = venvs.get(*MIDDLE, python=python_of("3.9")).copy(tmp_path / "venv")
    environment = broken(venv, commands, tmp_path)
    assert run(project, venv, environment, "-n", "0").passed == ALL
    venv.add_distribution("zzz-last", "1.0")
    assert run(project, venv, environment, "-n", "0").exit_code == 0
    assert copies(project) == []


@pytest.mark.parametrize("first, second", [("0", "2"), ("2", "0")])
def test_upgrades_lose_nothing_whatever_the_number_of_workers(first, second, venvs, commands, project):
    old, new = venvs.get(*MIDDLE), venvs.get(*NEW)
    assert run(project, old, plugin_environment(old, commands), "-n", first).passed == ALL
    connection = sqlite3.connect(project.datafile)
    assert connection.execute("PRAGMA user_version").fetchone() == (13,)
    connection.close()
    result = run(project, new, plugin_environment(new, commands), "-n", second)
    assert "data file converted from data version 13" in result.output
    assert_clean(project)
    connection = sqlite3.connect(project.datafile)
    assert connection.execute("PRAGMA user_version").fetchone() == (14,)
    assert connection.execute("SELECT count(*) FROM environment").fetchone() == (2,)  # other packages: parked
    connection.close()


def test_a_workers_reason_is_shown_though_the_run_dies_of_it(venvs, commands, project, tmp_path):
    """On 2.1.3 a worker that computes other packages than the controller dies, with the run."""
    venv = venvs.get(*MIDDLE)
    directory = fake_commands(
        tmp_path / "bin", commands, testmon_await="echo 'testmon-await: error: the dog ate it' >&2; exit 4"
    )
    other = tmp_path / "other"
    (other / "zzz_drift-1.0.dist-info").mkdir(parents=True)
    (other / "zzz_drift-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: zzz-drift\nVersion: 1.0\n")
    (project.path / "conftest.py").write_text(
        f"import os, sys\nif 'PYTEST_XDIST_WORKER' in os.environ:\n    sys.path.append({str(other)!r})\n"
    )
    environment = plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR=directory)
    result = run(project, venv, environment, "-n", "2")
    assert result.exit_code != 0 and result.readonly_error, result.output
    assert "the dog ate it" in result.output


def test_what_prepare_warns_of_is_shown_though_it_fails(venvs, commands, project):
    """The file is moved aside, which must be reported, before the state turns out to be impossible."""
    project.datafile.write_text("this is not a database, and long enough to be seen as none" * 20)
    (project.path / "tests" / "test_line\nfeed.py").write_text("")
    environment = venvs.get(*NEW).environment()
    result = commands.run(commands.precreate, "prepare", "--rebuild", cwd=project.path, env=environment)
    assert result.returncode == 5 and "line feed" in result.stderr, result.stderr
    assert "warning: moved aside to" in result.stderr
    assert (project.path / ".testmondata.damaged-1").exists()


@pytest.mark.parametrize("arguments", [["-n", "2"], ["-n", "0"]], ids=" ".join)
def test_testmons_header_says_what_it_would_say_without_us(arguments, venvs, commands, project, tmp_path):
    venv = venvs.get(*NEW).copy(tmp_path / "venv")

    def headers(environment):
        project.datafile.unlink(missing_ok=True)
        found = []
        for change in (None, "zzz-last", None):
            if change:
                venv.add_distribution(change, "1.0")
            output = run(project, venv, environment, *arguments).output
            found += [line for line in output.splitlines() if line.startswith("testmon:")]
        venv.remove_distribution("zzz-last")
        return found

    assert headers(plugin_environment(venv, commands)) == headers(venv.environment())
