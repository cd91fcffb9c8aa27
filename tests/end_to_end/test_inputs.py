"""What testmon does not see, and records with the plugin: code that runs when it is imported, and data files."""

from __future__ import annotations

import textwrap

import pytest
from plugin_support import MIDDLE, NEW, OLD, assert_clean, plugin_environment, run
from pythons import python_of


def write(project, **files):
    """`a__b__py` is a/b.py."""
    for name, text in files.items():
        path = project.path / name.replace("__", "/").replace("/py", ".py").replace("/json", ".json").replace("/txt", ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def edit(project, name, old, new):
    path = project.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


CONFTEST = """
import json, pathlib, pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def rates():
    return json.loads((HERE / "rates.json").read_text())


@pytest.fixture(scope="module", autouse=True)
def names():
    return (HERE / "names").read_bytes()
"""
DECO = """
def register(function):
    factor = 1

    def wrapper(count):
        return function(count) * factor

    return wrapper


def unused():
    return 1
"""


@pytest.fixture
def shop(project):
    for path in (project.path / "tests").iterdir():
        path.unlink()
    (project.path / "shop.py").unlink()
    write(
        project,
        pkg__consts__py="X = 1\nSECRET = 'a'\n",
        pkg____init__py="",
    )
    (project.path / "pkg" / "__init__.py").write_text("from .lib import price, Item\n")
    write(
        project,
        pkg__lib__py="""
            from .consts import X
            from . import deco


            class Item:
                size = 1


            @deco.register
            def price(count):
                return count * X
        """,
        pkg__deco__py=DECO,
        other__py="def f():\n    return 1\n",
        conftest__py=CONFTEST,
        rates__json='{"a": 1}',
        tests__test_a__py="""
            import pkg


            def test_price():
                assert pkg.price(1) < 100


            def test_item():
                assert pkg.Item.size < 100
        """,
        tests__test_b__py="""
            import other
            import pathlib

            HERE = pathlib.Path(__file__).parent
            TABLE = (HERE / "table.txt").read_text()


            def test_one(rates):
                assert rates


            def test_two(request):
                assert request.getfixturevalue("rates")


            def test_three(tmp_path):
                (tmp_path / "x").write_text("x")
                (HERE / "written.txt").write_text("x")
                (HERE / "written.txt").read_text()


            def test_four():
                with open(str(HERE / "binary.bin"), "rb") as file:
                    file.read()
                (HERE / "empty.txt").read_text()
        """,
        tests__table__txt="1",
        tests__empty__txt="",
    )
    (project.path / "names").write_text("a")
    (project.path / "tests" / "binary.bin").write_bytes(b"\x89\xff")
    return project


ALL = 6
A = ["test_item", "test_price"]
B = ["test_four", "test_one", "test_three", "test_two"]
EDITS = [
    ("pkg/consts.py", b"X = 2\n", A),
    ("pkg/__init__.py", b"from .lib import price, Item\nY = 1\n", A),
    ("rates.json", b'{"a": 2}', ["test_one", "test_two"]),
    ("names", b"b", A + B),
    ("tests/table.txt", b"2", B),
    ("tests/binary.bin", b"\x89\xfe", []),
    ("tests/empty.txt", b"\n", ["test_four"]),
    ("conftest.py", CONFTEST + "\nZ = 1\n", A + B),
    ("tests/written.txt", b"y", []),
    ("new.txt", b"y", []),
    ("pkg/deco.py", DECO.replace("return 1", "return 2"), []),
    ("pkg/deco.py", DECO.replace("factor = 1", "factor = 2"), A),
    ("names", b"\xff", A + B),
]


def executed(result):
    import re

    return sorted(re.findall(r"::(\w+) PASSED", result.output) or re.findall(r"PASSED \S+::(\w+)", result.output))


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("requirements", [NEW, MIDDLE, OLD], ids=["new", "middle", "old"])
def test_each_input_counts_for_those_that_use_it(requirements, workers, venvs, commands, shop):
    venv = venvs.get(*requirements, python=python_of("3.8") if requirements is OLD else None or __import__("sys").executable)
    environment = plugin_environment(venv, commands)
    first = run(shop, venv, environment, "-n", workers, "-v")
    assert (first.exit_code, first.passed) == (0, ALL), first.output
    assert_clean(shop, None)
    for name, content, expected in EDITS:
        path = shop.path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        result = run(shop, venv, environment, "-n", workers, "-v")
        assert executed(result) == sorted(expected), name + result.output
        again = run(shop, venv, environment, "-n", workers, "-v")
        assert executed(again) == [], name + again.output
