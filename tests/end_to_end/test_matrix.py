"""The main job: every released testmon, every change between two runs, 2 and 8 workers."""

from __future__ import annotations


import pytest

from scenarios import ALL, SCENARIOS, TESTMON_VERSIONS, our_command, play, requirements, stock_command


@pytest.mark.parametrize("workers", [2, 8])
@pytest.mark.parametrize("testmon", TESTMON_VERSIONS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "-"))
def test_right_tests_run_with_us(scenario, testmon, workers, commands, venvs, tmp_path):
    base = venvs.get(*requirements(testmon))
    outcome = play(scenario, base, tmp_path, commands, our_command, workers, {})
    assert outcome.first.exit_code == 0 and outcome.first.passed == ALL, outcome.first.output
    assert outcome.second.exit_code == 0, outcome.second.output
    assert outcome.second.passed == scenario.executed, outcome.second.output
    assert not outcome.second.readonly_error
    assert "warning" not in outcome.second.output.lower(), outcome.second.output
    assert not (tmp_path / "project" / ".testmon_xdist").exists()


def test_stock_dies_of_the_error_we_are_here_for(commands, venvs, tmp_path):
    """Keeps the matrix honest: if stock stops failing, the tests above prove nothing."""
    (scenario,) = [one for one in SCENARIOS if one.name == "package added, sorts last"]
    base = venvs.get(*requirements("2.1.3"))
    outcome = play(scenario, base, tmp_path, commands, stock_command, 2, {})
    assert outcome.first.exit_code == 0, outcome.first.output
    assert outcome.second.exit_code != 0
    assert outcome.second.readonly_error, outcome.second.output


def test_no_newer_release_is_left_out(venvs):
    """A release that the matrix does not name yet must be added to it."""
    latest = venvs.latest_version("pytest-testmon")
    assert latest in TESTMON_VERSIONS, f"pytest-testmon {latest} is out: add it to TESTMON_VERSIONS"
