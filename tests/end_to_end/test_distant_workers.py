"""Workers in another directory or on another machine: refused before the first one starts."""

from __future__ import annotations

import pytest

from plugin_support import MIDDLE, assert_clean, plugin_environment, run


@pytest.fixture(scope="module")
def venv(venvs):
    return venvs.get(*MIDDLE)


@pytest.mark.parametrize("spec", ["ssh=user@machine", "2*socket=machine:8888", "popen//chdir={elsewhere}"])
def test_refused_with_one_message(spec, project, venv, commands, tmp_path):
    spec = spec.format(elsewhere=tmp_path)
    arguments = ("--dist", "load", "--tx", "popen", "--tx", spec, "--rsyncdir", str(project.path))
    result = run(project, venv, plugin_environment(venv, commands), *arguments)
    assert result.exit_code == 4, result.output
    assert result.output.count(f"testmon-precreate: --tx {spec}: testmon cannot follow workers") == 1
    assert "--shard" in result.output and "--no-testmon" in result.output
    assert "Traceback" not in result.output and "gw0" not in result.output.replace(str(tmp_path), "")
    assert not project.datafile.exists()


def test_goes_on_without_testmon(project, venv, commands, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = ("--no-testmon", "--dist", "load", "--tx", f"popen//chdir={elsewhere}", "--rsyncdir", str(project.path))
    result = run(project, venv, plugin_environment(venv, commands), *arguments, str(project.path))
    assert (result.exit_code, result.passed) == (0, 4), result.output
    assert not project.datafile.exists()


def test_near_workers_are_no_matter(project, venv, commands):
    environment = plugin_environment(venv, commands)
    for spec in (f"popen//chdir={project.path}", f"2*popen//python={venv.python}"):
        project.datafile.unlink(missing_ok=True)
        result = run(project, venv, environment, "--dist", "load", "--tx", spec)
        assert (result.exit_code, result.passed) == (0, 4), result.output
        assert_clean(project, result)
