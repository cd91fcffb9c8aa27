"""The environment key, byte for byte, against testmon's own functions and against what a live run stores."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, Dict, List

import nasty_metadata
import pytest
from environments import KINDS, Environment
from every_python import every_python
from support import Venvs, chosen_seed

RELEASES = ("2.1.0", "2.1.3", "2.1.4", "2.2.0")
IGNORES: List[List[str]] = [[], ["pluggy", "late-name", "UNKNOWN", "", "None", "é"]]
ORACLE = Path(__file__).with_name("environment_oracle.py")


def without_privileges() -> None:
    """As root, gives up the right to read what permissions forbid, so that they mean something."""
    if os.geteuid() == 0:
        prctl, drop_from_bounding_set = ctypes.CDLL(None).prctl, 24
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            prctl(drop_from_bounding_set, capability, 0, 0, 0)


def run(command: List[str], request: Any, environment: Environment) -> Any:
    result = subprocess.run(
        command,
        input=json.dumps(request),
        cwd=environment.working_directory,
        env=environment.process_environment(),
        text=True,
        capture_output=True,
        preexec_fn=without_privileges,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="session")
def driver(commands) -> str:
    """The executable that drives the room (tests/python/environment_key_driver.cpp)."""
    return str(commands.build / "tests" / "python" / "environment_key")


@pytest.fixture(scope="session")
def commons(venvs: Venvs) -> Dict[str, str]:
    """testmon/common.py of every release."""
    return {
        release: str(venvs.get(f"pytest-testmon=={release}").site_packages / "testmon" / "common.py")
        for release in RELEASES
    }


def probe(driver: str, environment: Environment, **more: Any) -> Dict[str, Any]:
    request = {
        "interpreter": environment.python,
        "working_directory": str(environment.working_directory),
        "sys_path_additions": environment.additions,
        **more,
    }
    return run([driver, "probe"], request, environment)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version, python", every_python(), ids=lambda value: value if value[0].isdigit() else "")
def test_package_text_equals_testmons_own(kind, version, python, venvs, commons, driver, tmp_path):
    environment = KINDS[kind](venvs, python, version, tmp_path)
    facts = probe(driver, environment)
    assert facts["python_version"] == version
    request = {"sys_path": facts["sys_path"], "commons": commons, "ignores": IGNORES}
    expected = run([environment.python, str(ORACLE)], request, environment)
    cases = [(release, i) for release in expected for i in range(len(IGNORES))]
    variants = [{**facts, "testmon_version": release, "ignore_dependencies": IGNORES[i]} for release, i in cases]
    for (release, i), key in zip(cases, run([driver, "keys"], variants, environment)):
        full, shortened = expected[release][i]
        assert key["system_packages_full"].split(", ") == full.split(", "), (release, IGNORES[i])
        assert key["system_packages_full"] == full
        assert key["system_packages"] == shortened
        assert key["python_version"] == version


def stored_row(environment: Environment, command: List[str], options: str = "") -> List[tuple]:
    """Runs a test with testmon and returns the environment row that the live process made."""
    directory = environment.working_directory
    (directory / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    (directory / "pytest.ini").write_text(f"[pytest]\n{options}")
    result = subprocess.run(
        [*command, "--testmon", "-q", "test_nothing.py"],
        cwd=directory,
        env=environment.process_environment(),
        text=True,
        capture_output=True,
        preexec_fn=without_privileges,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    connection = sqlite3.connect(directory / ".testmondata")
    try:
        query = "SELECT environment_name, system_packages, python_version FROM environment"
        return connection.execute(query).fetchall()
    finally:
        connection.close()


LIVE = [(kind, *every_python()[-1]) for kind in KINDS] + [("pip", *every_python()[0])]


@pytest.mark.parametrize("kind, version, python", LIVE, ids=lambda value: "" if "/" in value else value)
def test_key_equals_the_row_of_a_live_run(kind, version, python, venvs, driver, tmp_path):
    environment = KINDS[kind](venvs, python, version, tmp_path)
    nasty_metadata.write_distribution(tmp_path / "beside.egg-info", "PKG-INFO", b"Name: beside\nVersion: 1.2.3\n")
    if kind == "pip":
        rows = stored_row(environment, [str(Path(environment.python).with_name("pytest"))])
        environment.additions = []
    else:
        rows = stored_row(environment, [environment.python, "-m", "pytest"])
        environment.additions = [str(tmp_path)]
    key = run([driver, "key"], probe(driver, environment), environment)
    assert ("beside 1.2" in key["system_packages"]) == (kind != "pip")
    assert rows == [(key["environment_name"], key["system_packages"], key["python_version"])]


def test_prepare_agrees_with_the_live_run_on_all_options(venvs, commands, tmp_path):
    """What the ini file, the conftest file and `pythonpath` add, through the command that users call."""
    version, python = every_python()[-1]
    environment = KINDS["pip"](venvs, python, version, tmp_path)
    for directory in (tmp_path, tmp_path / "lib"):
        metadata = f"Name: in {directory.name}\nVersion: 1.2.3\n".encode()
        nasty_metadata.write_distribution(directory / "it.egg-info", "PKG-INFO", metadata)
    nasty_metadata.write_distribution(tmp_path / "lib" / "left.egg-info", "PKG-INFO", b"Name: left out\nVersion: 1\n")
    (tmp_path / "conftest.py").write_text("")
    environment.variables["KIND"] = "ci"
    options = (
        "pythonpath = lib\ntestmon_ignore_dependencies =\n    pluggy\n    'left out'\n"
        "environment_expression = os.environ['KIND'] + md5('x')[:4]\n"
    )
    rows = stored_row(environment, [str(Path(environment.python).with_name("pytest"))], options)
    variables = environment.process_environment()
    command = [commands.precreate, "prepare", "--dry-run", "--json", "--python", environment.python]
    result = commands.run(*command, cwd=tmp_path, env=variables)
    assert result.returncode == 0, result.stderr
    state = json.loads(result.stdout)
    assert rows == [(state["environment_name"], state["system_packages"], state["python_version"])]
    assert state["environment_name"] == "ci9dd4"
    assert "in lib 1.2" in state["system_packages"] and "left out" not in state["system_packages"]


ASK_METADATA = """
import importlib.metadata, json, pathlib, sys
found = []
for i in range(int(sys.argv[1])):
    try:
        distribution = importlib.metadata.PathDistribution(pathlib.Path("%d.dist-info" % i))
        found.append([distribution.metadata["Name"], distribution.version])
    except UnicodeDecodeError:
        found.append(None)
print(json.dumps(found))
"""

ASK_DROP = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("common", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps([module.drop_patch_version(text) for text in json.load(sys.stdin)]))
"""

CASES = int(os.environ.get("TESTMON_PRECREATE_PROPERTY_CASES", "400"))


@pytest.fixture
def seed() -> int:
    chosen = chosen_seed()
    print(f"TESTMON_PRECREATE_SEED={chosen}")
    return chosen


@pytest.mark.parametrize("version, python", every_python(), ids=lambda value: value if value[0].isdigit() else "")
def test_random_metadata_is_read_as_python_reads_it(version, python, driver, seed, tmp_path):
    texts = [*nasty_metadata.TEXTS.values(), *nasty_metadata.random_texts(seed, CASES)]
    for i, text in enumerate(texts):
        nasty_metadata.write_distribution(tmp_path / f"{i}.dist-info", "METADATA", text)
    environment = Environment(python, tmp_path)
    expected = run([python, "-c", ASK_METADATA, str(len(texts))], None, environment)
    request = {"python_version": version, "texts": [text.decode("latin-1") for text in texts]}
    actual = run([driver, "metadata"], request, environment)
    for text, theirs, ours in zip(texts, expected, actual):
        # If Python cannot decode the body of a text, testmon fails; the headers are readable all the same.
        assert ours == theirs or (theirs is None and is_undecodable_behind(text, ours)), text


def is_undecodable_behind(text: bytes, ours: Any) -> bool:
    """Whether the beginning that was read is UTF-8 though the text is not."""
    if ours is None:
        return True
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return all(part is None or part.split("\n")[-1].strip().encode() in text[: error.start] for part in ours)
    return False


@pytest.mark.parametrize("version, python", every_python(), ids=lambda value: value if value[0].isdigit() else "")
def test_random_texts_lose_the_patch_version_as_in_testmon(version, python, driver, commons, seed, tmp_path):
    texts = nasty_metadata.random_package_texts(seed, 10 * CASES)
    environment = Environment(python, tmp_path)
    expected = run([python, "-c", ASK_DROP, commons["2.1.3"]], texts, environment)
    assert run([driver, "drop"], texts, environment) == expected


# --- The environment's name ---

EXPRESSIONS = [
    ("", "default"),
    ("''", "default"),
    ("'ci'", "ci"),
    ("1 + 1", "2"),
    ("None", "None"),
    ("md5('x')", "9dd4e461268c8034f5c8564e155c67a6"),
    ("hashlib.sha1(b'').hexdigest()[:8]", "da39a3ee"),
    ("os.environ['KIND'] + '-é'", "naïve-é"),
    ("os.path.basename(os.getcwd())", "working"),
    ("'%d' % sys.version_info[0]", "3"),
    ("print('noise') or os.system('echo more noise') or 'loud'", "loud"),
    ("[x for x in os.environ if x == 'KIND']", "['KIND']"),
    ("undefined", None),
    ("1 / 0", None),
    ("'unfinished", None),
    ("os.environ['ABSENT']", None),
    ("json.dumps(1)", None),
    ("md5(1)", None),
    ("(lambda: (_ for _ in ()).throw(ValueError('é')))()", None),
]

ASK_EVALUATE = """
import contextlib, io, json, sys
from testmon.testmon_core import eval_environment
expressions = json.load(sys.stdin)
with contextlib.redirect_stdout(io.StringIO()):
    values = [eval_environment(expression) or "default" for expression in expressions]
print("\\n" + json.dumps(values))
"""


@pytest.mark.parametrize("version, python", every_python(), ids=lambda value: value if value[0].isdigit() else "")
def test_expression_is_evaluated_as_testmon_does(version, python, venvs, driver, tmp_path):
    environment = KINDS["pip"](venvs, python, version, tmp_path)
    environment.variables = {"KIND": "naïve", "LC_ALL": "C.UTF-8"}
    environment.working_directory = tmp_path / "working"
    environment.working_directory.mkdir()
    theirs = subprocess.run(
        [environment.python, "-c", ASK_EVALUATE],
        input=json.dumps([expression for expression, _ in EXPRESSIONS]).encode(),
        cwd=environment.working_directory,
        env=environment.process_environment(),
        stdout=subprocess.PIPE,
        check=True,
    )
    for (expression, expected), value in zip(EXPRESSIONS, json.loads(theirs.stdout.splitlines()[-1])):
        assert expected is None or value == expected
        assert probe(driver, environment, environment_expression=expression)["environment_name"] == value
    named = probe(driver, environment, environment_expression="1 / 0", environment_name="given")
    assert named["environment_name"] == "given"
