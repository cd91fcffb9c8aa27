"""What `affected` shows, against what testmon selects."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from typing import List, Optional, Set, Tuple

import pytest

from affected_support import TESTMON, Workbench, home_file
from edits import Editor
from support import Project, chosen_seed

def test_nothing_changed(bench):
    result = bench.affected("--exit-code")
    assert result.returncode == 5
    assert result.stdout.startswith("0 of 4 tests")
    assert bench.affected("--files").stdout == bench.affected("--tests").stdout == ""
    assert bench.affected("--count").stdout == "0\n"
    assert bench.affected().returncode == 0


def test_the_forms_of_an_answer(bench):
    test_file = bench.project.path / "tests" / "test_price_1.py"
    test_file.write_text(test_file.read_text() + "\n\ndef test_more():\n    assert False\n")
    assert bench.affected("--tests", "--exit-code").stdout.split() == [
        "tests/test_price_1.py::test_none",
        "tests/test_price_1.py::test_one",
    ]
    assert bench.affected("--files").stdout.split() == ["tests/test_price_1.py"]
    assert bench.affected("--count").stdout == "2\n"
    heading, line, total = bench.affected().stdout.splitlines()
    assert heading.split() == ["changed", "file", "tests", "seconds"]
    assert line.split()[:2] == ["tests/test_price_1.py", "2"]
    assert total.startswith("2 of 4 tests, about ")
    answer = bench.answer()
    assert [file["path"] for file in answer["changed_files"]] == ["tests/test_price_1.py"]
    assert [test["changed_files"] for test in answer["tests"]] == [["tests/test_price_1.py"]] * 2
    assert all(test["seconds"] > 0 for test in answer["tests"])
    assert not answer["nothing_to_run"]


def test_exact(bench):
    module = bench.project.path / "shop.py"
    module.write_text("# a comment\n" + module.read_text())
    assert bench.affected("--count").stdout == "4\n"
    assert bench.affected("--exact", "--count").stdout == "0\n"
    assert bench.affected("--exact", "--exit-code").returncode == 5
    bench.project.edit_function(1)
    answer = bench.answer("--exact")
    assert [test["name"] for test in answer["tests"]] == [
        "tests/test_price_1.py::test_none",
        "tests/test_price_1.py::test_one",
    ]
    assert [(file["path"], file["tests"]) for file in answer["changed_files"]] == [("shop.py", 2)]


def test_exact_looks_at_the_environment(bench, tmp_path):
    bench.venv = bench.venv.copy(tmp_path / "venv")
    assert bench.answer("--exact")["nothing_to_run"]
    bench.venv.add_distribution("added", "1.0")
    answer = bench.answer("--exact")
    assert answer["environment"] is None
    assert len(answer["unknown_test_files"]) == 2
    assert bench.answer()["nothing_to_run"]


def test_failed_tests_unknown_files_and_files_that_are_gone(bench):
    tests = bench.project.path / "tests"
    (tests / "test_fails.py").write_text("def test_it():\n    assert False\n")
    assert bench.answer()["unknown_test_files"] == ["tests/test_fails.py"]
    assert bench.affected("--exit-code").returncode == 0
    bench.pytest()
    answer = bench.answer()
    assert answer["unknown_test_files"] == answer["changed_files"] == []
    assert [(test["name"], test["failed"]) for test in answer["tests"]] == [("tests/test_fails.py::test_it", True)]
    (tests / "test_fails.py").unlink()
    answer = bench.answer()
    assert answer["gone_tests"] == ["tests/test_fails.py::test_it"]
    assert answer["changed_files"][0]["change"] == "deleted"
    assert answer["nothing_to_run"]
    (tests / "test_price_0.py").rename(tests / "test_cost.py")
    assert bench.affected("--files").stdout.split() == ["tests/test_cost.py"]


def test_paths_of_the_run(bench):
    bench.project.edit_function()
    assert bench.affected("--count").stdout == "4\n"
    assert bench.affected("--files", "--", "tests/test_price_0.py").stdout.split() == ["tests/test_price_0.py"]
    assert bench.affected("--count", "--", "-q", "tests").stdout == "4\n"


def test_without_data_every_test_file_is_unknown(bench, tmp_path):
    answer = bench.answer("--since-file", str(tmp_path / "none"))
    assert answer["environment"] is None
    assert answer["unknown_test_files"] == ["tests/test_price_0.py", "tests/test_price_1.py"]
    assert not (tmp_path / "none").exists()
    shutil.copy(bench.project.datafile, tmp_path / "base")
    bench.project.datafile.unlink()
    assert bench.answer("--since-file", str(tmp_path / "base"))["recorded_tests"] == 4


def test_the_environment_by_name(bench):
    bench.pytest("--testmon-env", "other", "tests/test_price_0.py")
    assert bench.answer()["recorded_tests"] == 4
    assert bench.answer("--testmon-env", "other")["recorded_tests"] == 2
    assert bench.answer("--", "--testmon-env", "other")["recorded_tests"] == 2
    (bench.project.path / "pytest.ini").write_text("[pytest]\npythonpath = .\nenvironment_expression = 'o' + 'ther'\n")
    result = bench.commands.run(bench.commands.precreate, "affected", cwd=bench.project.path, env=bench.environment)
    assert result.returncode == 2
    assert "--testmon-env" in result.stderr
    assert bench.answer("--testmon-env", "other")["recorded_tests"] == 2


# Contents for which testmon's hash is not that of git's, or for which it has two ways of reading.
NASTY = {
    "plain": b"x = 1\n",
    "not_ascii": "x = 'é𝄞'\n".encode(),
    "carriage_returns": b"x = 1\r\ny = 2\r\n",
    "mixed_line_ends": b"x = 1\r\ny = 2\nz = 3\r\n",
    "form_feed": b"x = 1\n\x0c\ny = 2\n",
    "byte_order_mark": b"\xef\xbb\xbfx = 1\n",
    "mark_and_declaration": b"\xef\xbb\xbf# coding: utf-8\nx = 1\n",
    "latin_1": b"# coding: latin-1\nx = '\xe9'\n",
    "second_line": b"#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\nx = '\xa4'\n",
    "windows": b"# -*- coding: cp1252 -*-\nx = '\x80'\n",
    "utf8": "# coding: utf8\nx = 'é'\n".encode(),
    "declared_too_late": "x = 1\ny = 2\n# coding: gbk\nz = 'é'\n".encode(),
    "white_space": b"x = '''\n  \n'''\n",
    "white_space_not_ascii": "x = '''é\n\t\n'''\n".encode(),
    "no_line_feed_at_the_end": "x = 'é'".encode(),
    "nothing": b"",
}


@pytest.mark.parametrize("git", [False, True], ids=["plain", "git"])
def test_an_unchanged_file_counts_as_such_whatever_it_holds(bench, git):
    root = bench.project.path
    for name, content in NASTY.items():
        (root / f"nasty_{name}.py").write_bytes(content)
        test = f"\nimport nasty_{name}\ndef test():\n    pass\n"
        (root / "tests" / f"test_{name}.py").write_bytes(content + test.encode())
    if git:
        Editor(root, 1, git=True)
    bench.pytest()
    assert bench.answer()["recorded_tests"] == 4 + len(NASTY)
    assert bench.answer()["nothing_to_run"], bench.affected().stdout
    assert bench.ask_testmon()["affected"] == []


def test_testmon_reads_a_committed_file_in_another_way(bench):
    """What git does not vouch for it passes through textwrap.dedent, which empties lines of white space within texts
    too: a file has other blocks once it is committed, and if another test's row is stale, that counts."""
    root = bench.project.path
    words = root / "words.py"
    words.write_text('def text():\n    return """a\n  \nb"""\n\n\ndef other():\n    return 1\n')
    test_file = root / "tests" / "test_words.py"
    test_file.write_text("import words\ndef test_text():\n    words.text()\ndef test_other():\n    words.other()\n")
    editor = Editor(root, 1, git=True)
    words.write_text("# a comment\n" + words.read_text())
    bench.pytest()  # words.py is modified
    editor.commit(root)
    assert bench.answer()["nothing_to_run"]  # by its hash
    connection = sqlite3.connect(bench.project.datafile)
    with connection:
        connection.execute(
            "UPDATE file_fp SET fsha = 'another' WHERE filename = 'words.py' AND id IN (SELECT fingerprint_id"
            " FROM test_execution_file_fp, test_execution t WHERE test_execution_id = t.id AND test_name LIKE '%other')"
        )
    connection.close()
    theirs = bench.ask_testmon()
    assert "tests/test_words.py::test_text" in theirs["affected"]
    assert set(theirs["affected"]) <= {test["name"] for test in bench.answer()["tests"]}


@pytest.mark.skipif(os.geteuid() != 0, reason="the read-only mount needs root")
def test_reads_only(bench):
    environment = dict(bench.environment, PATH=f"{bench.commands.build / 'src'}:/usr/bin:/bin", HOME="/nonexistent")
    del environment["VIRTUAL_ENV"], environment["XDG_CACHE_HOME"]
    path = bench.project.path
    script = f"""
        mount --bind "{path}" "{path}" && mount -o remount,bind,ro "{path}" && cd "{path}" &&
        ! touch x 2>/dev/null && testmon-precreate affected --exit-code
    """
    before = sorted(path.iterdir())
    result = bench.commands.run("unshare", "--mount", "sh", "-c", script, cwd=path, env=environment)
    if "unshare" in result.stderr:
        pytest.skip(f"no mount namespace here: {result.stderr}")
    assert result.returncode == 5, result.stdout + result.stderr
    assert sorted(path.iterdir()) == before


@dataclass(frozen=True)
class Released:
    requirement: str
    sources: str
    needs: Tuple[str, ...] = ()


PROJECTS = [
    Released("cachetools==5.5.0", "src"),
    Released("itsdangerous==2.2.0", "src", ("freezegun",)),
    Released("sqlparse==0.5.1", "."),
    Released("toolz==1.0.0", "."),
    Released("pluggy==1.5.0", "src"),
    Released("click==8.1.7", "src"),
]
# TESTMON_PRECREATE_EDITS: that many edits, in all of the projects.
EDITS = int(os.environ.get("TESTMON_PRECREATE_EDITS", "0"))


def check_against_testmon(bench: Workbench, history: List[str]) -> Optional[int]:
    """Every test that testmon selects is among ours, or in a file that we name; with --exact it is the same set.
    Returns how many testmon selects; nothing if pytest or testmon breaks down on a broken file."""
    ours = bench.answer()
    theirs = bench.ask_testmon(may_break=True)
    if not theirs:
        return None
    exact = bench.answer("--exact", "--", "python", "-m", "pytest")
    names = {test["name"] for test in ours["tests"]}
    recorded: Set[str] = set(theirs["recorded"])
    files = {home_file(name) for name in names} | set(ours["unknown_test_files"])
    missed = [
        test for test in theirs["selected"] if test not in names and (test in recorded or home_file(test) not in files)
    ]
    assert missed == [], history
    theirs_there = [test for test in theirs["affected"] if (bench.project.path / home_file(test)).exists()]
    assert [test["name"] for test in exact["tests"]] == theirs_there, history
    assert exact["unknown_test_files"] == ours["unknown_test_files"], history
    return len(theirs["selected"])


@pytest.mark.slow
@pytest.mark.parametrize("git", [False, True], ids=["plain", "git"])
@pytest.mark.parametrize("released", PROJECTS if EDITS else PROJECTS[:1], ids=lambda released: released.requirement)
def test_never_fewer_tests_than_testmon_selects(released, git, venvs, commands, tmp_path):
    cache, copy = tmp_path / "cache", tmp_path / "project"
    cache.mkdir()
    shutil.copytree(venvs.sdist(released.requirement), copy)
    venv = venvs.get(TESTMON, "pytest>=8,<9", *released.needs)
    bench = Workbench(Project(copy), venv, commands, cache, released.sources)
    seed = chosen_seed()
    editor = Editor(copy, seed, git)
    bench.pytest()
    history = [f"seed {seed}"]
    for _ in range(EDITS or 8):
        for _ in range(editor.random.choice([1, 1, 2, 4])):
            history.append(editor.edit())
        if check_against_testmon(bench, history) is None:
            history.append("restore")
            editor.restore()
        elif editor.random.random() < 0.3:
            history.append("run")
            bench.pytest(may_break=True)
            check_against_testmon(bench, history)
    editor.restore()
    bench.pytest()
    for path in editor.originals:
        editor.add_statement(path)
    assert check_against_testmon(bench, history), history  # it does select something
