"""Project and test files as the library finds them, compared with the real pytest."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest
from line_server import LineServer, decode, encode
from project_trees import Case, Generator
from support import Commands, Venvs, chosen_seed, clean_environment

VERSIONS = ["7.4.4", "8.4.2", "9.0.2", "9.2.0"]
OPTIONS = ["--collect-only", "-q", "-p", "no:cacheprovider"]
# Trees for each version of pytest.
CASES = int(os.environ.get("TESTMON_PRECREATE_CASES", "80"))
SEED = chosen_seed()


@pytest.fixture(scope="module")
def ours(commands: Commands):
    server = LineServer(str(commands.build / "tests" / "pytest" / "scan_test_files"))
    yield server
    server.close()


def real_pytest(venvs: Venvs, version: str) -> LineServer:
    venv = venvs.get(f"pytest=={version}")
    return LineServer(venv.python, str(Path(__file__).with_name("pytest_oracle.py")))


def as_request(case: Case, version: str) -> Dict[str, Any]:
    first = str(case.directory) if case.as_module else "/a/directory/of/scripts"
    return {
        "directory": encode(case.directory),
        "arguments": [encode(argument) for argument in [*OPTIONS, *case.arguments]],
        "environment": [[encode(name), encode(value)] for name, value in case.environment.items()],
        "sys_path": [encode(entry) for entry in [first, *case.sys_path]],
        "version": version,
    }


def difference(mine: Dict[str, Any], real: Dict[str, Any], version: str) -> Optional[str]:
    """What differs, or None. If pytest refuses a run, only that is compared."""
    if "rootdir" not in real:
        return None
    if "error" in mine:
        return f"ours: {decode(mine['error'])}"
    for key in ("rootdir", "config_file", "sys_path"):
        if mine[key] != real[key]:
            return f"{key}: {mine[key]} is not {real[key]}"
    if real["exit_code"] in (3, 4):
        return None
    root = decode(mine["rootdir"])
    found = {os.path.normpath(os.path.join(root, decode(path))) for path in mine["files"]}
    collected = {decode(path) for path in real["modules"]}
    collected = {path for path in collected if not runs_in_a_circle(path)}
    if real["broken"] and collected <= found:
        return None  # a conftest.py that cannot be imported beside another one of the same name
    if not collected and not mine["is_configured"]:
        return None if found <= fixed_list(Path(root)) else f"not in the fixed list: {sorted(found)}"
    if version.startswith("7.") and collected <= found and any(path_is_outside(path, root) for path in found):
        return None  # pytest 7 takes files outside of the rootdir for the same one: all node ids begin with ::
    if found != collected:
        return f"too many: {sorted(found - collected)}, missing: {sorted(collected - found)}"
    return None


def runs_in_a_circle(path: str) -> bool:
    """Whether a link on the way leads back to a directory that the way came through.

    pytest follows such a link until the system refuses, the scan never.
    """
    directories = [os.path.realpath(parent) for parent in Path(path).parents]
    return len(directories) != len(set(directories))


def path_is_outside(path: str, directory: str) -> bool:
    return os.path.commonpath([path, directory]) != directory


def fixed_list(root: Path) -> Set[str]:
    """What the fallback may find if pytest collects nothing and has no configuration."""
    patterns = ("test_*.py", "*_test.py", "tests.py")
    starts = [root / name for name in ("tests", "test", "testing")]
    return {
        os.path.join(directory, name)
        for start in starts
        for directory, _, names in os.walk(start, followlinks=True)
        for name in names
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    }


def compare(server: LineServer, oracle: LineServer, case: Case, version: str) -> Optional[str]:
    request = as_request(case, version)
    real = oracle.ask(request)
    mine = server.ask({**request, "sys_path": real.get("base", request["sys_path"])})
    found = difference(mine, real, version)
    if found is None:
        return None
    tree = subprocess.run(["find", ".", "-printf", "%p%l\n"], cwd=case.root, capture_output=True, text=True).stdout
    configuration = "".join(
        f"--- {path}\n{path.read_text(encoding='utf-8')}"
        for path in case.root.rglob("*")
        if path.suffix in (".ini", ".cfg", ".toml") and path.is_file()
    )
    return f"{found}\n{case}\n{tree}{configuration}--- pytest:\n{decode(real.get('output', ''))}"


@pytest.mark.parametrize("version", VERSIONS)
def test_random_trees(version: str, ours: LineServer, venvs: Venvs, tmp_path: Path) -> None:
    print(f"TESTMON_PRECREATE_SEED={SEED}")
    oracle = real_pytest(venvs, version)
    failures = []
    for number in range(CASES):
        root = tmp_path / f"{number}"
        failure = compare(ours, oracle, Generator(SEED + number, root).case(), version)
        if failure is not None:
            failures.append(f"seed {SEED}, case {number}: {failure}")
        shutil.rmtree(root)
    oracle.close()
    assert not failures, f"{len(failures)} of {CASES} trees differ:\n" + "\n".join(failures[:3])


# Packages of different layouts: src/ or the package itself beside tests/, testing/ or test/, tests inside the
# package; configured in pyproject.toml, pytest.ini, tox.ini, setup.cfg or not at all.
SDISTS = [
    "pluggy==1.5.0",
    "click==8.1.8",
    "boltons==25.0.0",
    "pyflakes==3.2.0",
    "toolz==1.0.0",
    "parso==0.8.4",
    "wcwidth==0.2.13",
]
RUNS: List[Tuple[str, List[str]]] = [
    ("7.4.4", []),
    ("8.4.2", []),
    ("9.2.0", []),
    ("9.2.0", ["--import-mode=importlib", "."]),
    ("9.2.0", ["-o", "python_files=*.py"]),
    ("8.4.2", ["--ignore-glob=*s/test_[a-m]*", "-o", "testpaths="]),
]
# Their conftest files decide by a hook of their own which files are ignored.
OWN_IGNORE_RULES = ["boltons==25.0.0"]


@pytest.mark.parametrize("requirement", SDISTS)
def test_real_projects(requirement: str, ours: LineServer, venvs: Venvs, tmp_path: Path) -> None:
    root = tmp_path / "project"
    shutil.copytree(venvs.sdist(requirement), root)
    for version, arguments in RUNS:
        if requirement in OWN_IGNORE_RULES and any("ignore" in argument for argument in arguments):
            continue
        oracle = real_pytest(venvs, version)
        case = Case(root, root, arguments, sys_path=[str(root / "src")])
        failure = compare(ours, oracle, case, version)
        oracle.close()
        assert failure is None, f"{requirement}, pytest {version}, {arguments}: {failure}"
        assert ours.ask(as_request(case, version))["files"], "a project without test files shows nothing"


@pytest.mark.parametrize("version", ["7.4.4", "8.4.2", "9.2.0"])
@pytest.mark.parametrize("command", ["pytest", "python -m pytest"])
def test_sys_path_of_real_processes(
    command: str, version: str, ours: LineServer, venvs: Venvs, tmp_path: Path
) -> None:
    """What importlib.metadata sees when testmon is configured, in processes started as users start them."""
    (tmp_path / "tests").mkdir()
    for path in ("conftest.py", "tests/conftest.py"):
        (tmp_path / path).touch()
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = lib ./src/\n")
    plugin = tmp_path / "plugins" / "show_sys_path.py"
    plugin.parent.mkdir()
    plugin.write_text("import json, sys\n\n\ndef pytest_configure():\n    print(json.dumps(sys.path), file=sys.stderr)\n")
    venv = venvs.get(f"pytest=={version}")
    as_module = command != "pytest"
    words = [venv.python, "-m", "pytest"] if as_module else [str(venv.path / "bin" / "pytest")]
    environment = clean_environment(PYTHONPATH=str(plugin.parent))
    arguments = ["-p", "show_sys_path", "--collect-only"]
    result = subprocess.run([*words, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
    real = json.loads(result.stderr.splitlines()[0])
    start = subprocess.run(
        [venv.python, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )
    first = str(tmp_path) if as_module else str(venv.path / "bin")
    request = {
        "directory": encode(tmp_path),
        "arguments": arguments,
        "version": version,
        "sys_path": [first, *json.loads(start.stdout)],
    }
    assert ours.ask(request)["sys_path"] == real


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user who may not read a directory")
def test_unreadable_directory_is_a_warning(commands: Commands) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for directory in ("closed", "open"):
            (root / directory).mkdir()
            (root / directory / "test_x.py").touch()
        (root / "closed").chmod(0o000)
        tool = root / "scan_test_files"
        shutil.copy(commands.build / "tests" / "pytest" / "scan_test_files", tool)
        result = subprocess.run(
            [str(tool)],
            input=json.dumps({"directory": encode(root), "arguments": []}) + "\n",
            text=True,
            capture_output=True,
            preexec_fn=lambda: os.setuid(65534),
        )
    answer = json.loads(result.stdout)
    assert answer["files"] == ["open/test_x.py"]
    assert len(answer["warnings"]) == 1 and "closed" in answer["warnings"][0]
