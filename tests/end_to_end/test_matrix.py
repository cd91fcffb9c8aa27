"""The main job: every released testmon, every change between two runs, 2 and 8 workers."""

from __future__ import annotations

import fcntl
import shutil

import pytest

from scenarios import ALL, SCENARIOS, TESTMON_VERSIONS, Place, nothing, requirements
from support import Project, PytestResult, Venv


@pytest.fixture(scope="session")
def first_run(commands, venvs, tmp_path_factory):
    """A place after its first run, which most scenarios can begin with: made once in all processes of the suite."""
    directory = tmp_path_factory.getbasetemp().parent

    def get(testmon: str, workers: int) -> Place:
        place = directory / f"first-run-{testmon}-{workers}"
        with open(f"{place}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (place / "complete").exists():
                shutil.rmtree(place, ignore_errors=True)
                made = Place.make(venvs.get(*requirements(testmon)), place)
                check_first_run(made.run(commands.wrapper, commands, workers))
                (place / "complete").touch()
        return Place(Venv(place / "venv"), Project(place / "project"))

    return get


def check_first_run(result: PytestResult) -> None:
    assert result.exit_code == 0 and result.passed == ALL, result.output


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("testmon", TESTMON_VERSIONS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_right_tests_run_with_us(scenario, testmon, workers, first_run, commands, venvs, tmp_path):
    if scenario.prepare is nothing:
        place = first_run(testmon, workers).copy(tmp_path)
    else:
        place = Place.make(venvs.get(*requirements(testmon)), tmp_path)
        scenario.prepare(place.venv)
        check_first_run(place.run(commands.wrapper, commands, workers))
    scenario.change(place.venv, place.project)
    second = place.run(commands.wrapper, commands, workers)
    assert second.exit_code == 0, second.output
    assert second.passed == scenario.executed, second.output
    assert not second.readonly_error
    assert "warning" not in second.output.lower(), second.output
    assert not (place.project.path / ".testmon_xdist").exists()


def test_stock_dies_of_the_error_we_are_here_for(commands, venvs, tmp_path):
    """Keeps the matrix honest: if stock stops failing, the tests above prove nothing."""
    (scenario,) = [one for one in SCENARIOS if one.name == "package added, sorts last"]
    place = Place.make(venvs.get(*requirements("2.1.3")), tmp_path)
    check_first_run(place.run("pytest", commands, 2))
    scenario.change(place.venv, place.project)
    second = place.run("pytest", commands, 2)
    assert second.exit_code != 0
    assert second.readonly_error, second.output


def test_no_newer_release_is_left_out(venvs):
    """A release that the matrix does not name yet must be added to it."""
    latest = venvs.latest_version("pytest-testmon")
    assert latest in TESTMON_VERSIONS, f"pytest-testmon {latest} is out: add it to TESTMON_VERSIONS"
