"""The pytest plugin in every way that pytest and xdist can be called."""

from __future__ import annotations

import os
import re
import signal
import zipfile

import pytest

from plugin_support import (
    MIDDLE,
    NEW,
    OLD,
    assert_clean,
    end,
    install_entry_point,
    plugin_environment,
    run,
    seen_by_workers,
    start_slow_run,
    watch_coordination,
)
from pythons import python_of

ALL = 4


def set_up(name, venvs, tmp_path):
    """A venv to change."""
    requirements, python = {"old": (OLD, "3.8"), "middle": (MIDDLE, "3.9"), "new": (NEW, None)}[name]
    return venvs.get(*requirements, python=python and python_of(python)).copy(tmp_path / "venv")


@pytest.mark.parametrize("age", ["old", "middle", "new"])
def test_main_job(age, venvs, commands, project, tmp_path):
    venv = set_up(age, venvs, tmp_path)
    environment = plugin_environment(venv, commands)
    watch_coordination(project)

    first = run(project, venv, environment, "-n", "2")
    assert (first.exit_code, first.passed) == (0, ALL), first.output
    assert_clean(project, first)
    assert seen_by_workers(project) == ["True True"] * 2

    venv.add_distribution("zzz-last", "1.0")
    changed = run(project, venv, environment, "-n", "2")
    assert (changed.exit_code, changed.passed) == (0, ALL), changed.output
    assert_clean(project, changed)

    again = run(project, venv, environment, "-n", "2")
    assert (again.exit_code, again.passed) == (0, 0), again.output

    project.edit_function(0)
    edited = run(project, venv, environment, "-n", "2")
    assert (edited.exit_code, edited.passed) == (0, 2), edited.output


WAYS = {
    "loadfile": ["-n", "2", "--dist", "loadfile"],
    "loadscope": ["-n", "2", "--dist", "loadscope"],
    "loadgroup": ["-n", "2", "--dist", "loadgroup"],
    "worksteal": ["-n", "2", "--dist", "worksteal"],
    "each": ["--tx", "2*popen", "--dist", "each"],
    "d": ["-d", "--tx", "popen", "--tx", "popen"],
    "maxprocesses": ["-n", "8", "--maxprocesses", "2"],
    "auto": ["-n", "auto"],
    "logical": ["-n", "logical"],
    "exit-first": ["-n", "2", "-x"],
    "python": ["--dist", "load", "--tx", "2*popen//python=python3"],
    "cov": ["-n", "2", "--cov", "shop"],
    "verbose-assert": ["-n", "2", "-q", "--assert=plain", "-p", "no:warnings"],
    "error-on-warnings": ["-n", "2", "-W", "error"],
    "testrunuid": ["-n", "2", "--testrunuid", "my-own-run"],
    "environment": ["-n", "2", "--testmon-env", "special"],
    "path": ["-n", "2", "tests/test_price_0.py", "tests/test_price_1.py"],
    "import-mode": ["-n", "2", "--import-mode", "importlib"],
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_distribute(way, venvs, commands, project):
    """With the plugin just what is without it, but through the coordination state."""
    venv = venvs.get(*NEW)
    watch_coordination(project)
    result = run(project, venv, plugin_environment(venv, commands), *WAYS[way])
    expected = 2 * ALL if way == "each" else ALL
    assert (result.exit_code, result.passed) == (0, expected), result.output
    assert_clean(project, result)
    assert set(seen_by_workers(project)) == {"True True"}


@pytest.mark.parametrize("way", [["-n", "0"], ["-p", "no:xdist"], [], ["-n", "2", "--collect-only"]], ids=str)
def test_runs_that_are_not_distributed_are_prepared_too(way, venvs, commands, project, tmp_path):
    """Stock testmon 2.2 deletes the environment that no longer matches; with us it comes back with its packages."""
    venv = venvs.get(*NEW).copy(tmp_path / "venv")
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment, "-n", "2").passed == ALL
    venv.add_distribution("zzz-last", "1.0")
    changed = run(project, venv, environment, *way)
    assert changed.exit_code == 0, changed.output
    assert_clean(project, changed)
    venv.remove_distribution("zzz-last")
    back = run(project, venv, environment, "-n", "2")
    assert (back.exit_code, back.passed) == (0, 0), back.output
    assert_clean(project, back)


def test_an_archive_on_sys_path_counts_as_it_does_without_the_plugin(venvs, commands, project, tmp_path):
    """Had the plugin another list of packages than stock testmon, all tests would run again."""
    venv = venvs.get(*NEW)
    archive = tmp_path / "packed.egg"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("EGG-INFO/PKG-INFO", "Name: packed\nVersion: 1.2\n")
    environment = plugin_environment(venv, commands, PYTHONPATH=f"{commands.plugin_directory}{os.pathsep}{archive}")
    stock = run(project, venv, {**environment, "TESTMON_XDIST_CONTROLLER_PRECREATION": ""}, "-n", "2")
    assert (stock.exit_code, stock.passed) == (0, ALL), stock.output
    result = run(project, venv, environment, "-n", "2")
    assert (result.exit_code, result.passed) == (0, 0), result.output
    assert_clean(project, result)


def test_only_testmon_runs_are_ours(venvs, commands, project):
    venv = venvs.get(*NEW)
    broken = plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR="/nowhere", PATH="/usr/bin:/bin")
    for arguments in (["-n", "2"], ["-n", "2", "--testmon", "--no-testmon"], ["--testmon-env", "x"]):
        result = project.run([venv.python, "-m", "pytest", *arguments], broken)
        assert (result.exit_code, result.passed) == (0, ALL), result.output
        assert_clean(project, result)


@pytest.mark.parametrize(
    "options, variables",
    [
        (["-p", "no:testmon-precreate"], {}),
        ([], {"TESTMON_XDIST_CONTROLLER_PRECREATION": "false"}),
        ([], {"TESTMON_XDIST_CONTROLLER_PRECREATION": ""}),
        (["--no-testmon"], {}),
        (["-p", "no:pytest-testmon"], {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("installed", [False, True], ids=["injected", "installed"])
def test_switched_off(options, variables, installed, venvs, commands, project, tmp_path):
    venv = venvs.get(*NEW)
    if installed:
        venv = venv.copy(tmp_path / "venv")
        install_entry_point(venv, commands.plugin_directory)
    watch_coordination(project)
    environment = plugin_environment(venv, commands, **variables)
    # Without selection: stock testmon's workers select from a half-written file now and then in a first run.
    arguments = [] if "no:pytest-testmon" in options else ["--testmon-noselect"]
    command = [venv.python, "-m", "pytest", *arguments, "-n", "2", *options]
    result = project.run(command, environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert set(seen_by_workers(project)) == {"False False"}
    assert_clean(project, result)


@pytest.mark.parametrize("age", ["old", "new"])
def test_loaded_in_several_ways_it_is_there_once(age, venvs, commands, project, tmp_path):
    venv = set_up(age, venvs, tmp_path)
    install_entry_point(venv, commands.plugin_directory)
    environment = plugin_environment(venv, commands)
    watch_coordination(project)
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "def pytest_report_header(config):\n"
            "    return 'names: ' + ' '.join(sorted(name for name, _ in config.pluginmanager.list_name_plugin()\n"
            "                                       if 'precreate' in name))\n"
        )
    result = run(project, venv, environment, "-p", "testmon_precreate.plugin", "-n", "2")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    names = re.search(r"^names: (.*)$", result.output, re.MULTILINE).group(1).split()
    assert names.count("testmon-precreate") == 1
    assert "testmon-precreate-controller" in names
    assert set(seen_by_workers(project)) == {"True True"}


@pytest.mark.parametrize("age", ["old", "middle", "new"])
def test_output_is_testmons_own(age, venvs, commands, tmp_path):
    """New file, no change, changed packages: testmon's header says the same with us as without."""
    from support import Project

    venv = set_up(age, venvs, tmp_path)
    ours, stock = Project.sample(tmp_path / "ours"), Project.sample(tmp_path / "stock")

    def headers(*arguments: str):
        with_us = run(ours, venv, plugin_environment(venv, commands), *arguments)
        without = run(stock, venv, venv.environment(), *arguments)
        pattern = r"^testmon: (.*)$"
        return [re.search(pattern, result.output, re.MULTILINE).group(1) for result in (with_us, without)]

    for change in (None, None, "zzz-last"):
        if change:
            venv.add_distribution(change, "1.0")
        with_us, without = headers("-n", "2")
        assert with_us == without


def test_verbose_shows_one_line(venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    assert "testmon-precreate" not in run(project, venv, environment, "-n", "2").output
    result = run(project, venv, environment, "-n", "0", "-v")
    lines = [line for line in result.output.splitlines() if "precreate" in line]
    assert len(lines) == 1, result.output
    assert re.fullmatch(r"testmon-precreate: environment default reused in \d+\.\d ms", lines[0])


def test_workers_that_crash_are_replaced(venvs, commands, project):
    """The new worker starts long after the state was written, and still takes it."""
    venv = venvs.get(*MIDDLE, python=python_of("3.9"))
    watch_coordination(project)
    (project.path / "tests" / "test_crash.py").write_text(
        "import os, pathlib, time\n\n\ndef test_crash():\n"
        "    marker = pathlib.Path(__file__).with_suffix('.crashed')\n"
        "    if not marker.exists():\n        marker.touch()\n        time.sleep(1.5)\n        os._exit(1)\n"
    )
    environment = plugin_environment(venv, commands, TESTMON_XDIST_STATE_MAX_AGE="1")
    result = run(project, venv, environment, "-n", "2")
    assert "crashed" in result.output and result.exit_code == 1, result.output
    assert result.passed == ALL, result.output
    assert not result.readonly_error
    assert seen_by_workers(project) == ["True True"] * 3
    assert_clean(project, result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signals_leave_nothing_behind(number, venvs, commands, project):
    venv = venvs.get(*NEW)
    process = start_slow_run(project, venv, plugin_environment(venv, commands))
    assert (project.path / ".testmon_xdist").exists()
    output = end(process, number)
    assert process.returncode == (2 if number == signal.SIGINT else -number), output
    assert_clean(project)


def test_first_failure_ends_the_run_cleanly(venvs, commands, project):
    venv = venvs.get(*NEW)
    (project.path / "tests" / "test_fails.py").write_text("def test_fails():\n    assert False\n")
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2", "-x")
    assert result.exit_code in (1, 2) and "1 failed" in result.output, result.output
    assert_clean(project)


def test_loop_on_fail(venvs, commands, project):
    """xdist's loop runs one session after another until it is interrupted."""
    venv = venvs.get(*MIDDLE, python=python_of("3.9"))
    (project.path / "tests" / "test_fails.py").write_text("def test_fails():\n    assert False\n")
    marker = project.path / "tests" / "test_marker.py"
    seen = project.path / "ran"
    marker.write_text(f"import pathlib\n\n\ndef test_ran():\n    pathlib.Path({str(seen)!r}).touch()\n")
    import subprocess

    from plugin_support import wait_until

    process = subprocess.Popen(
        [venv.python, "-m", "pytest", "--testmon", "-f", "-n", "2", str(project.path / "tests")],
        cwd=project.path, env=plugin_environment(venv, commands), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )
    try:
        wait_until(seen.exists, process)
        wait_until(lambda: not (project.path / ".testmon_xdist").exists(), process)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=30)[0]
    assert "testmon-precreate:" not in output, output


def test_drift_between_controller_and_workers_does_no_harm(venvs, commands, project, tmp_path):
    """A conftest that shows a distribution to the workers only. Stock testmon 2.1.4 fails then."""
    venv = venvs.get("pytest-testmon==2.1.4", "pytest-xdist", "pytest>=8,<9")
    distribution = tmp_path / "elsewhere" / "drift-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: drift\nVersion: 1.0\n")
    (project.path / "conftest.py").write_text(
        "import os, sys\nif os.environ.get('PYTEST_XDIST_WORKER'):\n"
        f"    sys.path.insert(0, {str(distribution.parent)!r})\n"
    )
    stock = run(project, venv, venv.environment(), "-n", "2")
    assert stock.readonly_error, stock.output
    project.datafile.unlink()
    environment = plugin_environment(venv, commands, TESTMON_XDIST_WORKERS="fixed")
    for executed in (ALL, 0):
        result = run(project, venv, environment, "-n", "2")
        assert (result.exit_code, result.passed) == (0, executed), result.output
        assert_clean(project, result)


CHANGED_PATH = """
import sys

def pytest_configure(config):
    sys.path.insert(0, {directory!r})
"""

IMPORT_HOOK = """
import importlib.metadata, pathlib, sys

class Finder(importlib.metadata.DistributionFinder):
    def find_spec(self, name, path=None, target=None):
        return None

    def find_distributions(self, context=None):
        return [importlib.metadata.PathDistribution(pathlib.Path({directory!r}, "late-2.0.dist-info"))]

sys.meta_path.append(Finder())
"""


@pytest.mark.parametrize("conftest", [CHANGED_PATH, IMPORT_HOOK], ids=["changed sys.path", "import hook"])
def test_row_is_the_one_that_stock_makes(conftest, venvs, commands, project, tmp_path):
    """What a conftest adds while pytest starts, testmon counts, and so do we."""
    venv = venvs.get(*NEW)
    distribution = tmp_path / "elsewhere" / "late-2.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: late\nVersion: 2.0\n")
    (project.path / "conftest.py").write_text(conftest.format(directory=str(distribution.parent)))
    assert run(project, venv, venv.environment(), "-n", "2").passed == ALL
    rows = project.rows("SELECT * FROM environment")
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2")
    assert (result.exit_code, result.passed) == (0, 0), result.output
    assert project.rows("SELECT * FROM environment") == rows
    assert "late 2.0" in rows[0][2]
