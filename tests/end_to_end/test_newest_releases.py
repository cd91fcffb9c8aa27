"""What pytest 9.2 does otherwise than the releases before it: with us as without."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from plugin_support import install_entry_point, plugin_environment
from support import PytestResult

ALL = 4
REQUIREMENTS = ("pytest-testmon==2.2.0", "pytest>=9.2,<10", "pytest-xdist>=3.8,<4")
REFUSED = {
    "plugin-of-the-environment": ([], {"PYTEST_PLUGINS": "no_such_plugin"}),
    "plugin-of-the-command-line": (["-p", "no_such_plugin"], {}),
    "configuration-file": (["-c", "no_such.ini"], {}),
}


@pytest.fixture
def venv(venvs):
    return venvs.get(*REQUIREMENTS)


@pytest.fixture
def play(venv, commands, project):
    """Runs `pytest --testmon` in one of several ways."""

    def run(way: str, *arguments: str, **variables: str) -> PytestResult:
        words: List[str] = ["python", "-m", "pytest", "--testmon", *arguments]
        environment = venv.environment(commands, **variables)
        if way == "run":
            words = [commands.precreate, "run", "--", *words]
        elif way == "plugin":
            plugins = ",".join(filter(None, ["testmon_precreate.plugin", variables.get("PYTEST_PLUGINS")]))
            environment = plugin_environment(venv, commands, **{**variables, "PYTEST_PLUGINS": plugins})
        return project.run(words, environment)

    return run


def files_of(directory: Path) -> List[Path]:
    return sorted(path for path in directory.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("way", ["run", "plugin"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_pytest_refuses_is_refused_in_its_words(what, way, play, project):
    arguments, variables = REFUSED[what]
    before = files_of(project.path.parent)
    stock = play("stock", *arguments, **variables)
    assert stock.exit_code == 4 and "no_such" in stock.output, stock.output
    ours = play(way, *arguments, **variables)
    (message,) = [line for line in stock.output.splitlines() if "no_such" in line]
    assert ours.exit_code == 4, ours.output
    assert message in ours.output.splitlines(), ours.output
    assert files_of(project.path.parent) == before


@pytest.mark.parametrize("command", ["prepare", "affected"])
def test_no_other_rootdir_is_guessed(command, venv, commands, project):
    before = files_of(project.path.parent)
    words = [commands.precreate, command, "--", "-c", "../no_such.ini"]
    result = commands.run(*words, cwd=project.path / "tests", env=venv.environment(commands))
    assert result.returncode == 2 and "no_such.ini" in result.stderr, result.stderr
    assert files_of(project.path.parent) == before


@pytest.mark.parametrize("command", ["prepare", "affected"])
def test_a_missing_plugin_is_a_matter_of_pytest(command, venv, commands, project):
    """The commands load no plugin; the run that follows refuses to start, and loses nothing."""
    environment = venv.environment(commands, PYTEST_PLUGINS="no_such_plugin")
    result = commands.run(commands.precreate, command, cwd=project.path, env=environment)
    assert result.returncode == 0, result.stderr
    assert project.run(["pytest", "--testmon"], environment).exit_code == 4
    assert commands.run(commands.precreate, "cleanup", cwd=project.path, env=environment).returncode == 0
    again = project.run(["pytest", "--testmon"], venv.environment())
    assert (again.exit_code, again.passed) == (0, ALL), again.output


@pytest.mark.parametrize("way", ["run", "plugin"])
@pytest.mark.parametrize("options", [[], ["-W", "error"]], ids=str)
def test_warnings_of_plugins_that_are_imported(options, way, play, project):
    """They are shown, as in a run without us, and with -W error they end the run in the same way."""
    (project.path / "noisy.py").write_text("import warnings\n\nwarnings.warn('a noisy import')\n")
    stock, ours = (play(one, "-p", "noisy", *options) for one in ("stock", way))
    assert "a noisy import" in stock.output and (stock.exit_code == 0) == (options == []), stock.output
    assert ours.exit_code == stock.exit_code, ours.output
    assert ours.output.count("a noisy import") == stock.output.count("a noisy import"), ours.output


@pytest.mark.parametrize("way", ["PYTEST_PLUGINS", "-p", "entry point", "all of these", "run"])
def test_our_plugin_is_imported_without_a_warning(way, venv, commands, project, tmp_path):
    """A warning would be an error that ends the run."""
    if way in ("entry point", "all of these"):
        venv = venv.copy(tmp_path / "venv")
        install_entry_point(venv, commands.plugin_directory)
    environment = plugin_environment(venv, commands)
    words = ["pytest", "--testmon", "-n", "1", "-W", "error"]
    if way not in ("PYTEST_PLUGINS", "all of these"):
        del environment["PYTEST_PLUGINS"]
    if way in ("-p", "all of these"):
        words += ["-p", "testmon_precreate.plugin"]
    if way == "run":
        words, environment = [commands.precreate, "run", "--", *words], venv.environment(commands)
    if way == "entry point":
        del environment["PYTHONPATH"]
    result = project.run([*words, "-v"], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "testmon-precreate: environment default created" in result.output, result.output
    assert "warning" not in result.output.lower(), result.output
