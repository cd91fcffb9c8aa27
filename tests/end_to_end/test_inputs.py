"""What testmon does not see, and records with the plugin: code that runs when it is imported, and data files."""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap

import pytest
from affected_support import home_file
from input_edits import InputEditor, outcomes
from plugin_support import NEW, OLD, assert_clean, plugin_environment, run
from pythons import python_of
from support import Project, chosen_seed


def write(project, files):
    for name, text in files.items():
        path = project.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


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


FILES = {
    "conftest.py": CONFTEST,
    "rates.json": '{"a": 1}',
    "names": "a",
    "pkg/__init__.py": "from .lib import price, Item\n",
    "pkg/consts.py": "X = 1\n",
    "pkg/deco.py": DECO,
    "pkg/lib.py": """
        from .consts import X
        from . import deco


        class Item:
            size = 1


        @deco.register
        def price(count):
            return count * X
    """,
    "other.py": "def f():\n    return 1\n",
    "tests/table.txt": "1",
    "tests/empty.txt": "",
    "tests/test_a.py": """
        import pkg


        def test_price():
            assert pkg.price(1) < 100


        def test_item():
            assert pkg.Item.size < 100
    """,
    "tests/test_b.py": """
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
}
A = ["test_item", "test_price"]
B = ["test_four", "test_one", "test_three", "test_two"]
# A file, its new content, the tests that run.
EDITS = [
    ("pkg/consts.py", "X = 2\n", A),
    ("rates.json", '{"a": 2}', ["test_one", "test_two"]),
    ("names", "b", A + B),
    ("tests/table.txt", "2", B),
    ("tests/binary.bin", b"\x89\xfe", []),
    ("tests/empty.txt", "\n", ["test_four"]),
    ("tests/written.txt", "y", []),
    ("pkg/deco.py", DECO.replace("return 1", "return 2"), []),
    ("pkg/deco.py", DECO.replace("factor = 1", "factor = 2"), A),
    ("conftest.py", CONFTEST + "Z = 1\n", A + B),
    ("names", b"\xff", A + B),  # from now on testmon cannot read it
]


@pytest.fixture
def shop(project):
    shutil.rmtree(project.path / "tests")
    (project.path / "shop.py").unlink()
    write(project, FILES)
    (project.path / "tests" / "binary.bin").write_bytes(b"\x89\xff")
    return project


def executed(result):
    found = re.findall(r"::(\w+) PASSED|PASSED \S+::(\w+)", result.output)
    return sorted({one or other for one, other in found})


def selected(project, commands, environment, *arguments):
    command = [commands.precreate, "affected", "--tests", *arguments, "--", "python", "-m", "pytest"]
    result = commands.run(*command, cwd=project.path, env=environment)
    assert result.returncode == 0, result.stderr
    return sorted(line.rsplit("::", 1)[1] for line in result.stdout.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    "requirements, python, workers, edits",
    [(NEW, "3.12", "2", [EDITS[0], EDITS[1], EDITS[8], EDITS[10]]), (OLD, "3.8", "0", EDITS)],
    ids=["newest", "oldest"],
)
def test_each_input_counts_for_those_that_use_it(requirements, python, workers, edits, venvs, commands, shop):
    """And `affected` knows of it."""
    venv = venvs.get(*requirements, python=python_of(python))
    environment = plugin_environment(venv, commands, TESTMON_XDIST_INPUTS="imports,files")
    first = run(shop, venv, environment, "-n", workers, "-v")
    assert (first.exit_code, executed(first)) == (0, sorted(A + B)), first.output
    assert_clean(shop)
    for name, content, expected in edits:
        (shop.path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        assert selected(shop, commands, environment, "--exact") == sorted(expected), name
        assert set(selected(shop, commands, environment)) >= set(expected), name
        result = run(shop, venv, environment, "-n", workers, "-v")
        assert executed(result) == sorted(expected), name + result.output
    assert run(shop, venv, venv.environment(), "-n", "0").passed == 0  # stock testmon can read it


def test_by_default_an_import_counts_of_modules_without_functions(venvs, commands, shop):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    assert run(shop, venv, environment, "-n", "0").passed == len(A + B)
    lib = shop.path / "pkg" / "lib.py"
    lib.write_text(lib.read_text().replace("size = 1", "size = 2"))
    assert executed(run(shop, venv, environment, "-n", "0", "-v")) == ["test_price"]
    (shop.path / "pkg" / "consts.py").write_text("X = 3\n")
    (shop.path / "rates.json").write_text("[1]")
    assert executed(run(shop, venv, environment, "-n", "0", "-v")) == sorted([*A, "test_one", "test_two"])


def test_a_package_counts_for_its_modules(venvs, commands, shop):
    """It is imported before them, though none of them says so."""
    write(shop, {"tests/inner/__init__.py": "X = 1\n", "tests/inner/test_inner.py": "def test_within():\n    pass\n"})
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    assert run(shop, venv, environment, "-n", "0").passed == len(A + B) + 1
    (shop.path / "tests" / "inner" / "__init__.py").write_text("X = 2\n")
    assert selected(shop, commands, environment, "--exact") == ["test_within"]
    assert executed(run(shop, venv, environment, "-n", "0", "-v")) == ["test_within"]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_variable(workers, venvs, commands, shop):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands, TESTMON_XDIST_INPUTS="import")
    result = run(shop, venv, environment, "-n", workers)
    assert (result.exit_code, result.passed) == (0, len(A + B)), result.output
    assert result.output.count("TESTMON_XDIST_INPUTS is 'import': say") == 1, result.output
    (shop.path / "rates.json").write_text("[1]")
    environment["TESTMON_XDIST_INPUTS"] = "none"
    assert run(shop, venv, environment, "-n", workers).passed == 0


def test_an_interrupted_run_keeps_the_inputs_of_what_has_run(venvs, commands, shop):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    (shop.path / "tests" / "test_c.py").write_text("def test_interrupts():\n    raise KeyboardInterrupt\n")
    assert run(shop, venv, environment, "-n", "0").exit_code == 2
    (shop.path / "tests" / "test_c.py").unlink()
    (shop.path / "rates.json").write_text("[1]")
    assert executed(run(shop, venv, environment, "-n", "0", "-v")) == ["test_one", "test_two"]


def test_files_outside_of_the_rootdir_are_named(venvs, commands, shop):
    venv = venvs.get(*NEW)
    (shop.path.parent / "common").mkdir()
    (shop.path.parent / "common" / "shared.py").write_text("X = 1\n")
    (shop.path / "pytest.ini").write_text("[pytest]\npythonpath = . ../common\n")
    (shop.path / "other.py").write_text("import shared\n")
    environment = plugin_environment(venv, commands)
    result = run(shop, venv, environment, "-n", "2", "-v")
    line = "testmon-precreate: outside of the rootdir, so that an edit runs no test: ../common/shared.py"
    assert result.output.count("outside of the rootdir") == 1 and line in result.output, result.output


ODD_TESTS = """
import _thread, os, sys, types


def test_a_name_that_is_no_text():
    assert open(os.path.join(os.path.dirname(os.path.abspath(__file__)).encode(), b"\\xff.txt")).read() == "1"


def test_no_working_directory(tmp_path):
    before = os.getcwd()
    try:
        os.mkdir(tmp_path / "gone")
        os.chdir(tmp_path / "gone")
        os.rmdir(tmp_path / "gone")
        try:
            open("missing")
        except FileNotFoundError:
            pass
    finally:
        os.chdir(before)


def test_opened_by_a_thread_without_a_frame(tmp_path):
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    _thread.start_new_thread(open, (pipe,))
    open(pipe, "w").close()  # returns when the thread has opened it


def test_odd_modules():
    sys.modules["odd"] = 1
    sys.modules["odder"] = types.ModuleType("odder")
    sys.modules["odder"].__file__ = os.path.dirname(os.path.abspath(__file__)) + "/\\udcff.py"
    for i in range(3):
        exec(compile("x = 1", f"/elsewhere/\\udcff{i}.py", "exec"))


def test_the_end():
    pass
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_odd_files_do_no_harm(workers, venvs, commands, shop):
    venv = venvs.get(*NEW)
    (shop.path / "tests" / "test_a.py").unlink()
    (shop.path / "tests" / "test_odd.py").write_text(ODD_TESTS)
    with open(os.fsencode(shop.path / "tests") + b"/\xff.txt", "w") as file:
        file.write("1")
    result = run(shop, venv, plugin_environment(venv, commands), "-n", workers)
    assert (result.exit_code, result.passed) == (0, 5 + len(B)), result.output
    assert "testmon-precreate" not in result.output.split("plugins:")[-1].split("\n", 1)[1], result.output


# TESTMON_PRECREATE_INPUT_EDITS: that many edits of each project.
INPUT_EDITS = int(os.environ.get("TESTMON_PRECREATE_INPUT_EDITS", "0"))
PROJECTS = [
    ("tinycss2==1.3.0", ".", ("webencodings",)),
    ("sqlparse==0.5.1", ".", ()),
    ("mistune==3.0.2", "src", ()),
    ("jinja2==3.1.4", "src", ("markupsafe",)),
    ("click==8.1.7", "src", ()),
    ("toolz==1.0.0", ".", ()),
    ("cachetools==5.5.0", "src", ()),
    ("itsdangerous==2.2.0", "src", ("freezegun",)),  # none that pytest itself runs on
]


@pytest.mark.slow
@pytest.mark.parametrize("released, sources, needs", PROJECTS if INPUT_EDITS else PROJECTS[:1])
def test_no_test_whose_outcome_an_edit_changes_is_left_out(released, sources, needs, venvs, commands, tmp_path):
    project = Project(tmp_path / "project")
    shutil.copytree(venvs.sdist(released), project.path)
    venv = venvs.get("pytest-testmon==2.2.0", "pytest>=8,<9", "pytest-xdist", *needs)
    environment = plugin_environment(
        venv, commands, TESTMON_XDIST_INPUTS="imports,files", PYTHONDONTWRITEBYTECODE="1", XDG_CACHE_HOME=str(tmp_path)
    )
    environment["PYTHONPATH"] = os.pathsep.join([str(project.path / sources), environment["PYTHONPATH"]])
    assert run(project, venv, environment, "-q", "-n", "0", timeout=600).passed > 20
    before = outcomes(project, venv, environment, tmp_path)
    again = outcomes(project, venv, environment, tmp_path)
    steady = {test for test in before if before[test] == again.get(test)}
    seed = chosen_seed()
    editor = InputEditor(project.path, seed)
    changes = 0
    for _ in range(INPUT_EDITS or 4):
        edit = editor.edit()
        after = outcomes(project, venv, environment, tmp_path)
        changed = {test for test in steady if before[test] != after.get(test)}
        command = [commands.precreate, "affected", "--exact", "--json", "--", "python", "-m", "pytest"]
        answer = json.loads(commands.run(*command, cwd=project.path, env=environment).stdout)
        runs = {test["name"] for test in answer["tests"]}
        missed = {test for test in changed - runs if home_file(test) not in answer["unknown_test_files"]}
        assert not missed, (seed, edit)
        changes += len(changed)
        editor.restore()
    assert changes, seed
