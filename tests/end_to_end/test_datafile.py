"""The data file and the real testmon: equal schemas, environments parked and restored, versions converted."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import List, Tuple

import pytest

from datafile_support import Driver, content
from support import PytestResult, Venv

# Every release that reads and writes a data version we know; 2.0.12 is the newest of version 12.
DATA_VERSIONS = {"2.0.12": 12, "2.0.13": 13, "2.1.0": 13, "2.1.1": 13, "2.1.3": 13, "2.1.4": 13, "2.2.0": 14}
ALL = 4  # tests of the sample project
ONE_FUNCTION = 2  # those that run one function of it


def get_venv(venvs, testmon: str, *others: str) -> Venv:
    """`others` pin what another venv has to have in common: a package that differs is another environment."""
    return venvs.get(f"pytest-testmon=={testmon}", "pytest-xdist", *others)


@pytest.fixture
def run(commands, project):
    """Runs `pytest --testmon` through the wrapper script."""

    def run_pytest(venv: Venv, *arguments: str) -> PytestResult:
        return project.run([commands.wrapper, "--testmon", *arguments], venv.environment(commands))

    return run_pytest


def executed(result: PytestResult) -> int:
    assert result.exit_code in (0, 5), result.output
    assert "warning" not in result.output.lower(), result.output
    return result.passed


def layout(file: Path) -> Tuple:
    """What SQLite's shell shows as .schema, and the settings that a file keeps."""
    with closing(sqlite3.connect(file)) as connection:
        objects = connection.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema").fetchall()
        pragmas = ("user_version", "journal_mode", "page_size", "encoding", "auto_vacuum", "application_id")
        return objects, {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas}


@pytest.mark.parametrize("testmon", DATA_VERSIONS)
def test_a_file_of_ours_is_laid_out_as_testmon_does(testmon, commands, venvs, tmp_path):
    venv = get_venv(venvs, testmon)
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    subprocess.run([venv.python, "-c", f"from testmon.db import DB; DB({str(theirs)!r}).con.close()"], check=True)
    result = Driver(commands).prepare(ours, "a 1.0", DATA_VERSIONS[testmon])
    assert result.returncode == 0, result.stderr
    assert layout(ours) == layout(theirs)
    assert (ours.stat().st_mode & 0o777) == (theirs.stat().st_mode & 0o777)


@pytest.mark.parametrize("testmon", ["2.1.0", "2.1.3", "2.1.4", "2.2.0"])
def test_an_environment_that_comes_back_runs_nothing_again(testmon, run, venvs, project, tmp_path):
    venv = get_venv(venvs, testmon).copy(tmp_path / "venv")
    assert executed(run(venv, "-n", "2")) == ALL
    venv.add_distribution("zzz-last", "1.0")
    assert executed(run(venv, "-n", "2")) == ALL
    venv.remove_distribution("zzz-last")
    assert executed(run(venv, "-n", "2")) == 0
    # And the other one has not forgotten anything either.
    venv.add_distribution("zzz-last", "1.0")
    assert executed(run(venv, "-n", "2")) == 0


@pytest.mark.parametrize("testmon", ["2.1.3", "2.2.0"])
def test_an_environment_that_comes_back_runs_what_the_code_asks_for(testmon, run, venvs, project, tmp_path):
    venv = get_venv(venvs, testmon).copy(tmp_path / "venv")
    assert executed(run(venv, "-n", "2")) == ALL
    venv.add_distribution("zzz-last", "1.0")
    assert executed(run(venv, "-n", "2")) == ALL
    project.edit_function(1)
    assert executed(run(venv, "-n", "2")) == ONE_FUNCTION
    venv.remove_distribution("zzz-last")
    result = run(venv, "-n", "2", "-v")
    assert executed(result) == ONE_FUNCTION
    assert "test_price_1.py::test_one" in result.output and "test_price_0.py::" not in result.output
    assert executed(run(venv, "-n", "2")) == 0


@pytest.mark.parametrize("testmon", ["2.1.3", "2.2.0"])
def test_another_interpreter_has_an_environment_of_its_own(testmon, run, venvs, project, tmp_path):
    """The same packages, another Python: as a branch switch, only with the other value of the key."""
    venv = get_venv(venvs, testmon)
    assert executed(run(venv, "-n", "2")) == ALL
    with closing(sqlite3.connect(project.datafile)) as connection, connection:
        connection.execute("UPDATE environment SET python_version = '3.0.99'")
    assert executed(run(venv, "-n", "2")) == ALL
    rows = project.rows("SELECT typeof(environment_name), python_version = '3.0.99' FROM environment ORDER BY id")
    assert rows == [("blob", 1), ("text", 0)]


def without_notes(found: Tuple) -> List:
    """The rows but for what each run notes: what it saved (`metadata`), and what it was made to run (`forced`)."""
    rows = dict(found[2])
    del rows["metadata"]
    rows["test_execution"] = [row[:-1] for row in rows["test_execution"]]
    return list(rows.values())


@pytest.mark.parametrize("older, newer", [("2.1.3", "2.2.0"), ("2.1.4", "2.2.0")])
def test_converted_there_and_back_nothing_runs_again(older, newer, run, venvs, project):
    old, new = (get_venv(venvs, testmon, "pytest==8.4.2") for testmon in (older, newer))
    assert executed(run(old, "-n", "2")) == ALL
    before = content(project.datafile)
    assert executed(run(new, "-n", "4")) == 0
    assert content(project.datafile)[0] == 14
    assert executed(run(old, "-n", "4")) == 0
    after = content(project.datafile)
    assert without_notes(after) == without_notes(before)
    names = sorted(path.name for path in project.path.iterdir() if path.name.startswith(".testmondata"))
    assert names == [".testmondata", ".testmondata.backup-v13", ".testmondata.backup-v14"]


def test_stock_testmon_2_0_12_loses_nothing_on_the_way_to_2_2_0(run, venvs, project, commands):
    """Data version 12, which no release that we drive writes any more."""
    old, new = (get_venv(venvs, testmon, "pytest==7.4.4") for testmon in ("2.0.12", "2.2.0"))
    first = project.run([old.python, "-m", "pytest", "--testmon", "-p", "no:xdist"], old.environment())
    assert first.exit_code == 0 and first.passed == ALL, first.output
    assert content(project.datafile)[0] == 12
    # This release counts itself among the packages, so its environments differ from those of all later ones.
    with closing(sqlite3.connect(project.datafile)) as connection, connection:
        connection.execute("UPDATE environment SET system_packages = replace(system_packages, ', pytest-testmon 2.0', '')")
    assert executed(run(new, "-n", "4")) == 0
    assert content(project.datafile)[0] == 14


def test_rows_that_stock_testmon_left_behind_are_parked(run, venvs, project, tmp_path, commands):
    """2.1.3 adds a row a package change and never removes one."""
    venv = get_venv(venvs, "2.1.3").copy(tmp_path / "venv")

    def stock() -> None:
        result = project.run(["pytest", "--testmon"], venv.environment())
        assert result.exit_code in (0, 5), result.output

    stock()
    venv.add_distribution("aaa-first", "1.0")
    stock()
    venv.add_distribution("aaa-before", "1.0")
    stock()
    rows = "SELECT count(*) FROM environment WHERE environment_name = 'default'"
    tests = "SELECT count(*) FROM test_execution"
    assert project.rows(rows) == [(3,)]
    known = project.rows(tests)
    prepared = commands.run(commands.precreate, "prepare", cwd=project.path, env=venv.environment(commands))
    assert prepared.returncode == 0, prepared.stderr
    assert project.rows(rows) == [(1,)]
    assert project.rows(tests) == known
    assert project.rows("SELECT count(*) FROM environment") == [(3,)]


def test_environments_are_listed_and_steered(run, venvs, project, tmp_path, commands):
    venv = get_venv(venvs, "2.2.0").copy(tmp_path / "venv")

    def environments(*arguments: str, code: int = 0):
        result = commands.run(commands.precreate, "environments", *arguments, cwd=project.path)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stderr if code else result.stdout

    def listed() -> List[Tuple[int, bool, int]]:
        found = json.loads(environments("list", "--json"))
        assert found["database_path"] == str(project.datafile)
        return [(one["id"], one["parked"], one["tests"]) for one in found["environments"]]

    assert "no environments" in environments()
    assert executed(run(venv, "-n", "2")) == ALL
    venv.add_distribution("zzz-last", "1.0")
    assert executed(run(venv, "-n", "2")) == ALL
    assert listed() == [(1, True, ALL), (2, False, ALL)]
    assert "parked" in environments() and "4 tests" in environments("list")

    assert "restored 1 environment\n" == environments("restore", "1")
    assert listed() == [(1, False, ALL), (2, True, ALL)]
    assert json.loads(environments("restore", "1", "--json")) == {"restored": 0}
    assert json.loads(environments("park", "1", "2", "--json")) == {"parked": 1}
    assert listed() == [(1, True, ALL), (2, True, ALL)]
    assert "there is no environment 7" in environments("park", "7", code=2)

    assert "pruned 1 environment\n" == environments("prune", "--keep-environments", "1")
    assert listed() == [(1, True, ALL)], "the one parked last stays"
    assert "pruned 0 environments\n" == environments("prune", "--keep-environments", "0", "--testmon-env", "other")
    assert "pruned 1 environment\n" == environments("prune", "--keep-environments", "0")
    assert listed() == []
    for table in ("test_execution", "test_execution_file_fp", "file_fp"):
        assert project.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert project.rows("SELECT dataid FROM metadata WHERE dataid LIKE 'testmon-precreate%'") == []


def test_json_tells_the_bytes_of_a_path(commands, tmp_path):
    """Also of one that is not UTF-8, as os.fsencode takes them."""
    directory = tmp_path / os.fsdecode(b"caf\xe9")
    directory.mkdir()
    assert Driver(commands).prepare(directory / ".testmondata", "a 1.0", 13).returncode == 0
    into = directory / "new"
    for words, file in (["environments"], directory / ".testmondata"), (["merge", "--into", into, ".testmondata"], into):
        result = commands.run(commands.precreate, *words, "--json", cwd=directory)
        assert result.returncode == 0, result.stderr
        assert os.fsencode(json.loads(result.stdout)["database_path"]) == os.fsencode(file)
