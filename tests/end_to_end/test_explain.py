"""What `explain` says about why tests will run again."""

from __future__ import annotations

import json
import sqlite3

import pytest

from affected_support import Workbench


def explain(bench: Workbench, *arguments: str) -> str:
    command = [bench.commands.precreate, "explain", *arguments]
    result = bench.commands.run(*command, cwd=bench.project.path, env=bench.environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


def answer(bench: Workbench, *arguments: str) -> dict:
    return json.loads(explain(bench, "--json", *arguments))


@pytest.fixture
def own(bench, tmp_path) -> Workbench:
    """With an environment that a test may change."""
    bench.venv = bench.venv.copy(tmp_path / "venv")
    bench.venv.add_distribution("changing", "1.4")
    bench.venv.add_distribution("leaving", "3.0")
    bench.pytest()
    return bench


def test_nothing_to_explain(bench):
    first, *rest = explain(bench).splitlines()
    assert first.startswith("environment  1 has these packages and Python 3.")
    assert len(rest) == 1 and rest[0].startswith("0 of 4 tests")
    told = answer(bench)
    assert told["wanted"]["matches"] and told["nothing_to_run"] and told["package_changes"] == []


def test_packages_by_name(own):
    assert answer(own)["wanted"]["matches"]
    own.venv.remove_distribution("changing")
    own.venv.add_distribution("changing", "2.0")
    own.venv.remove_distribution("leaving")
    own.venv.add_distribution("coming", "1.0.7")
    told = answer(own)
    assert not told["wanted"]["matches"]
    assert told["package_changes"] == [
        {"name": "changing", "before": "1.4", "after": "2.0"},
        {"name": "coming", "before": None, "after": "1.0"},
        {"name": "leaving", "before": "3.0", "after": None},
    ]
    text = explain(own)
    assert "every test runs" in text
    assert "changing 1.4 -> 2.0" in text and "+ coming 1.0" in text and "- leaving 3.0" in text
    assert len(text.splitlines()) < 24


def test_the_nearest_environment_may_be_a_parked_one(own):
    own.venv.add_distribution("added", "1.0")
    result = own.commands.run(own.commands.precreate, "prepare", cwd=own.project.path, env=own.environment)
    assert result.returncode == 0, result.stderr
    own.venv.remove_distribution("added")
    # The command line of the run counts: `python -m pytest` made the row that is parked now.
    told = answer(own)
    assert told["wanted"]["matches"] and told["environment"]["parked"]
    assert "`prepare` brings it back" in explain(own)
    own.venv.add_distribution("another", "1.0")
    assert [change["name"] for change in answer(own)["package_changes"]] == ["another"]


def test_python_and_data_version(own):
    connection = sqlite3.connect(own.project.datafile)
    with connection:
        connection.execute("UPDATE environment SET python_version = '3.0.1'")
        connection.execute("PRAGMA user_version = 13")
    connection.close()
    text = explain(own)
    assert "Python       3.0.1 -> 3." in text
    assert "data version 13, testmon 2.2.0 reads 14" in text


def test_without_an_interpreter(bench):
    bench.project.edit_function()
    command = [bench.commands.precreate, "explain", "--python", "/nonexistent"]
    result = bench.commands.run(*command, cwd=bench.project.path, env=bench.environment)
    assert result.returncode == 0
    assert "packages and Python are not compared" in result.stderr
    assert "4 of 4 tests" in result.stdout


def test_failures(bench):
    (bench.project.path / "tests" / "test_fails.py").write_text("def test_it():\n    assert False\n")
    bench.pytest()
    assert "failed tests/test_fails.py::test_it" in explain(bench)


def test_of_a_test(bench):
    bench.project.edit_function(1)
    spared, affected = "tests/test_price_0.py::test_one", "tests/test_price_1.py::test_one"
    assert explain(bench, spared).splitlines()[1:] == [
        f"{spared}: does not run",
        "  modified   shop.py, but not in what the test uses",
        "  unchanged  tests/test_price_0.py",
    ]
    assert explain(bench, affected).splitlines()[1:] == [
        f"{affected}: runs again",
        "  modified   shop.py",
        "  unchanged  tests/test_price_1.py",
    ]
    assert answer(bench, affected)["subject"]["files"][0] == {"path": "shop.py", "state": "modified"}
    assert "no data of it" in explain(bench, "tests/test_price_1.py::test_other")
    (bench.project.path / "tests" / "test_price_1.py").unlink()
    assert "  deleted    tests/test_price_1.py" in explain(bench, affected)


def test_of_a_file(bench):
    assert "shop.py: unchanged, 4 tests use it, 0 of them run again" in explain(bench, "shop.py")
    bench.project.edit_function(1)
    assert "shop.py: modified, 4 tests use it, 2 of them run again" in explain(bench, "shop.py")
    assert len(answer(bench, "shop.py")["subject"]["tests"]) == 4
    assert "no recorded test uses it" in explain(bench, "pytest.ini")
