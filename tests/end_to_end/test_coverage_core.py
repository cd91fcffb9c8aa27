"""coverage's core `sysmon` cannot tell tests apart; with the plugin testmon records as with the C tracer."""

from __future__ import annotations

import re
import sqlite3

import pytest
from plugin_support import NEW, assert_clean, plugin_environment, run
from pythons import python_of

REQUIREMENTS = pytest.mark.parametrize(
    "requirements",
    [(*NEW, "coverage>=7.15"), ("pytest-testmon==2.1.3", "pytest>=8,<9", "pytest-xdist>=3.6", "pytest-cov", "coverage==7.6.1")],
    ids=["newest", "coverage-7.6"],
)
SYSMON = {"COVERAGE_CORE": "sysmon"}


@pytest.fixture
def shared_line(project):
    """Three tests that share a line of the product."""
    (project.path / "shop.py").write_text("def price(count):\n    return count * 2\n")
    for path in (project.path / "tests").iterdir():
        path.unlink()
    for name in "abc":
        (project.path / "tests" / f"test_{name}.py").write_text(
            f"import shop\n\n\ndef test_{name}():\n    assert shop.price(1) in (2, 3)\n"
        )
    return project


def edges(project):
    """Which test depends on which blocks of which file."""
    connection = sqlite3.connect(project.datafile)
    try:
        return connection.execute(
            "SELECT test_name, filename, method_checksums FROM test_execution"
            " JOIN test_execution_file_fp ON test_execution_id = test_execution.id"
            " JOIN file_fp ON fingerprint_id = file_fp.id ORDER BY 1, 2, 3"
        ).fetchall()
    finally:
        connection.close()


@REQUIREMENTS
@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_test_of_a_shared_line_runs_after_an_edit(requirements, workers, venvs, commands, shared_line):
    venv = venvs.get(*requirements, python=python_of("3.12"))
    environment = plugin_environment(venv, commands, **SYSMON)
    first = run(shared_line, venv, environment, "-n", workers)
    assert (first.exit_code, first.passed) == (0, 3), first.output
    assert_clean(shared_line, first)
    (shared_line.path / "shop.py").write_text("def price(count):\n    return count * 3\n")
    second = run(shared_line, venv, environment, "-n", workers)
    assert (second.exit_code, second.passed) == (0, 3), second.output


@REQUIREMENTS
def test_what_stock_recorded_with_sysmon_is_not_trusted(requirements, venvs, commands, shared_line):
    venv = venvs.get(*requirements, python=python_of("3.12"))
    assert run(shared_line, venv, venv.environment(**SYSMON), "-n", "0").passed == 3
    (shared_line.path / "shop.py").write_text("def price(count):\n    return count * 3\n")
    result = run(shared_line, venv, plugin_environment(venv, commands, **SYSMON), "-n", "2")
    assert (result.exit_code, result.passed) == (0, 3), result.output
    again = run(shared_line, venv, plugin_environment(venv, commands, **SYSMON), "-n", "2")
    assert (again.exit_code, again.passed) == (0, 0), again.output


@pytest.mark.parametrize("core", ["sysmon", "ctrace", None])
def test_a_users_own_coverage_keeps_its_core_and_its_figures(core, venvs, commands, shared_line):
    venv = venvs.get(*NEW, python=python_of("3.13"))
    variables = {"COVERAGE_CORE": core} if core else {}
    (shared_line.path / "conftest.py").write_text(
        "cores = set()\n\n\ndef pytest_runtest_setup(item):\n"
        "    controller = item.config.pluginmanager.get_plugin('_cov').cov_controller\n"
        "    cores.add(controller.cov._collector.tracer_name())\n\n\n"
        "def pytest_terminal_summary(terminalreporter):\n"
        "    terminalreporter.write_line(f'CORE {sorted(cores)}')\n"
    )
    figures = []
    for environment in (venv.environment(**variables), plugin_environment(venv, commands, **variables)):
        shared_line.datafile.unlink(missing_ok=True)
        arguments = ["-n", "0", "--cov", "shop", "--cov-report", "term-missing"]
        result = run(shared_line, venv, environment, *arguments)
        assert (result.exit_code, result.passed) == (0, 3), result.output
        figures.append(re.findall(r"^(?:shop\.py .*|CORE .*)$", result.output, re.MULTILINE))
    assert figures[0] == figures[1] and len(figures[0]) == 2
    assert ("SysMonitor" in "".join(figures[0])) == (core == "sysmon")


def test_warnings_that_are_errors(venvs, commands, shared_line):
    """coverage warns from 7.15 on if a context cannot be switched, and stock testmon ends with that."""
    venv = venvs.get(*NEW, "coverage>=7.15", python=python_of("3.12"))
    stock = run(shared_line, venv, venv.environment(**SYSMON), "-n", "2", "-W", "error")
    assert stock.exit_code != 0 and "sysmon" in stock.output, stock.output
    shared_line.datafile.unlink(missing_ok=True)
    result = run(shared_line, venv, plugin_environment(venv, commands, **SYSMON), "-n", "2", "-W", "error")
    assert (result.exit_code, result.passed) == (0, 3), result.output


@pytest.mark.slow
def test_edges_are_those_of_the_c_tracer(venvs, commands, tmp_path):
    """On a suite of more than 500 tests. Without workers: what is imported late counts for whichever test comes first."""
    import shutil

    from support import Project

    venv = venvs.get(*NEW, python=python_of("3.12"))
    project = Project(tmp_path / "project")
    shutil.copytree(venvs.sdist("click==8.1.7"), project.path)
    found = []
    for variables in ({"COVERAGE_CORE": "ctrace"}, SYSMON):
        project.datafile.unlink(missing_ok=True)
        environment = plugin_environment(venv, commands, **variables)
        environment["PYTHONPATH"] = f"{project.path / 'src'}:{environment['PYTHONPATH']}"
        result = run(project, venv, environment, "-n", "0", "-q", "-W", "default", "tests")
        assert result.exit_code == 0 and result.passed > 500, result.output
        found.append(edges(project))
    assert found[0] == found[1]
