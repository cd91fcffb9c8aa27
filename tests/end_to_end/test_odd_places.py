"""Places that cannot be written, runs that must not write, and data files that lie elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from namespaces import namespace
from plugin_support import MIDDLE, NEW, assert_clean, plugin_environment, run, seen_by_workers, watch_coordination
from pythons import python_of

ALL = 4
RELEASES = pytest.mark.parametrize(
    "requirements, python", [(MIDDLE, "3.9"), (NEW, None)], ids=["testmon-2.1.3", "testmon-2.2.0"]
)


@pytest.fixture
def venv(requirements, python, venvs, tmp_path):
    found = venvs.get(*requirements, python=python and python_of(python))
    return found.copy(tmp_path / "venv")


def tree(directory: Path) -> dict:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".pytest_cache" not in path.parts
    }


@RELEASES
def test_read_only_sources_with_the_data_file_elsewhere(venv, commands, project, tmp_path):
    datafile = tmp_path / "elsewhere" / ".testmondata"
    datafile.parent.mkdir()
    environment = plugin_environment(venv, commands, TESTMON_DATAFILE=str(datafile))
    command = [*namespace(read_only=project.path), venv.python, "-m", "pytest", "--testmon", "-n", "2", "-v"]
    first = project.run([*command, "-p", "no:cacheprovider"], environment)
    assert (first.exit_code, first.passed) == (0, ALL), first.output
    assert "environment default created" in first.output and "Warning" not in first.output, first.output
    venv.add_distribution("zzz-last", "1.0")
    changed = project.run([*command, "-p", "no:cacheprovider"], environment)
    assert (changed.exit_code, changed.passed) == (0, ALL), changed.output
    assert [path.name for path in datafile.parent.iterdir()] == [".testmondata"]


@RELEASES
@pytest.mark.parametrize("options", [[], ["--testmon-nocollect"]], ids=["collect", "nocollect"])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_read_only_data_file_is_selected_from(options, workers, venv, commands, project, tmp_path):
    environment = plugin_environment(venv, commands, TMPDIR=str(tmp_path))
    assert run(project, venv, environment, "-n", "2").passed == ALL
    project.edit_function(0)
    before = tree(project.path)
    command = [*namespace(read_only=project.path), venv.python, "-m", "pytest", "--testmon", "-n", workers, *options]
    result = project.run([*command, "-p", "no:cacheprovider"], environment)
    assert (result.exit_code, result.passed) == (0, 2), result.output
    assert result.output.count("nothing will be recorded") == 1, result.output
    assert tree(project.path) == before
    assert not list(tmp_path.glob("testmon_xdist*"))


@RELEASES
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("way", ["plugin", "run"])
def test_a_run_that_does_not_collect_changes_no_byte(way, workers, venv, commands, project):
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment, "-n", "2").passed == ALL
    venv.add_distribution("zzz-last", "1.0")
    before = tree(project.path)
    front = [] if way == "plugin" else [commands.precreate, "run", "--"]
    if way == "run":
        environment = venv.environment(commands)
    command = [*front, venv.python, "-m", "pytest", "--testmon", "--testmon-nocollect", "-n", workers]
    result = project.run(command, environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output  # other packages: everything may differ
    assert tree(project.path) == before
    assert_clean(project, result)


@RELEASES
def test_tests_do_not_inherit_the_private_copy(venv, commands, project):
    (project.path / "tests" / "test_environment.py").write_text(
        "import os\n\n\ndef test_variable():\n    assert os.environ.get('TESTMON_DATAFILE') is None\n"
    )
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2", "--testmon-nocollect")
    assert (result.exit_code, result.passed) == (0, ALL + 1), result.output


@RELEASES
@pytest.mark.parametrize("workers", ["0", "2"])
def test_without_pytests_cache_provider(workers, venv, commands, project):
    """testmon reads an option of it."""
    result = run(project, venv, plugin_environment(venv, commands), "-n", workers, "-p", "no:cacheprovider")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert_clean(project, result)


@RELEASES
def test_a_path_with_brackets(requirements, venv, commands, tmp_path):
    from support import Project

    project = Project.sample(tmp_path / "br[1]")
    watch_coordination(project)
    result = run(project, venv, plugin_environment(venv, commands), "-n", "2", "tests")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert_clean(project, result)
    assert seen_by_workers(project) == ["True True"] * 2
    for arguments in ([], [str(project.path / "tests")]):  # pytest itself refuses the brackets; the directory is there
        prepared = commands.run(
            commands.precreate, "prepare", "--dry-run", "--", *arguments, cwd=project.path, env=venv.environment()
        )
        assert prepared.returncode == 0 and "no file or directory" not in prepared.stderr, prepared.stderr


@RELEASES
def test_commands_find_the_directory_of_each_data_file(venv, commands, project):
    environment = venv.environment(commands)
    other = {**environment, "TESTMON_DATAFILE": ".testmondata-other"}
    for variables in (environment, other):
        prepared = commands.run(commands.precreate, "prepare", "-n", "2", cwd=project.path, env=variables)
        assert prepared.returncode == 0, prepared.stderr
    assert (project.path / ".testmon_xdist" / "controller_ready.json").exists()
    assert (project.path / ".testmon_xdist-.testmondata-other" / "controller_ready.json").exists()

    def get(*arguments, variables=environment):
        command = [commands.await_, "--get", "database_path", "--timeout", "0", *arguments]
        return commands.run(*command, cwd=project.path / "tests", env=variables).stdout.strip()

    assert get() == str(project.datafile)
    assert get(variables=other) == get("--datafile", ".testmondata-other") == str(project.path / ".testmondata-other")
    status = commands.run(
        commands.precreate, "status", "--datafile", ".testmondata-other", cwd=project.path, env=environment
    )
    assert ".testmondata-other (data version" in status.stdout
    for arguments in ([], ["--datafile", ".testmondata-other"]):
        cleaned = commands.run(commands.precreate, "cleanup", *arguments, cwd=project.path, env=environment)
        assert cleaned.returncode == 0, cleaned.stderr
    assert not list(project.path.glob(".testmon_xdist*"))


@RELEASES
def test_a_damaged_file_that_cannot_be_copied_leaves_nothing_behind(requirements, venv, commands, project):
    project.datafile.write_text("this is not a database, and long enough to be seen as none" * 20)
    before = tree(project.path)
    words = ["prepare", "--private-copy", "always", "--python", venv.python]
    result = commands.run(commands.precreate, *words, cwd=project.path, env=venv.environment(commands))
    assert result.returncode == 8 and "not an SQLite database" in result.stderr, result.stderr
    assert tree(project.path) == before


@RELEASES
def test_what_a_killed_run_left_of_its_copy_goes_with_the_next_run(venv, commands, project):
    environment = plugin_environment(venv, commands)
    (project.path / "tests" / "test_kill.py").write_text(
        "import os, signal\n\n\ndef test_kill():\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    )
    run(project, venv, environment, "-n", "2", "--testmon-nocollect")
    assert list(project.path.glob(".testmon_xdist/run-*"))
    (project.path / "tests" / "test_kill.py").unlink()
    result = run(project, venv, environment, "-n", "2")
    assert result.exit_code == 0, result.output
    assert_clean(project, result)
