"""Project and test files as the library finds them, compared with the real pytest."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import pytest
from line_server import LineServer, decode, encode
from project_trees import Case, Generator
from support import Commands, Venvs

VERSIONS = ["7.4.4", "8.4.2", "9.0.2", "9.2.0"]
OPTIONS = ["--collect-only", "-q", "-p", "no:cacheprovider"]
# Trees for each version of pytest. TESTMON_PRECREATE_SEED repeats a run that failed.
CASES = int(os.environ.get("TESTMON_PRECREATE_CASES", "150"))
SEED = int(os.environ.get("TESTMON_PRECREATE_SEED", random.SystemRandom().randrange(10**9)))


def real_pytest(venvs: Venvs, version: str) -> LineServer:
    venv = venvs.get(f"pytest=={version}")
    return LineServer(venv.python, str(Path(__file__).with_name("pytest_oracle.py")))


def as_request(case: Case, version: str) -> Dict[str, Any]:
    first = str(case.directory) if case.as_module else "/a/directory/of/scripts"
    return {
        "directory": encode(case.directory),
        "arguments": [encode(argument) for argument in [*OPTIONS, *case.arguments]],
        "environment": [[encode(name), encode(value)] for name, value in case.environment.items()],
        "sys_path": [encode(first)],
        "version": version,
    }


def difference(case: Case, mine: Dict[str, Any], real: Dict[str, Any]) -> Optional[str]:
    """What differs, or None. Where pytest refuses a run nothing is compared but that."""
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
    if case.has_loop:
        found, collected = {os.path.realpath(p) for p in found}, {os.path.realpath(p) for p in collected}
    if real["broken"] and collected <= found:
        return None  # a conftest.py that cannot be imported beside another one of the same name
    if not collected and not mine["is_configured"]:
        return None if found <= fixed_list(Path(root)) else f"not in the fixed list: {sorted(found)}"
    if found != collected:
        return f"too many: {sorted(found - collected)}, missing: {sorted(collected - found)}"
    return None


def fixed_list(root: Path) -> Set[str]:
    """What the fallback may find where pytest collects nothing and has no configuration."""
    patterns = ("test_*.py", "*_test.py", "tests.py")
    directories = [root / name for name in ("tests", "test", "testing")]
    return {str(path) for directory in directories for pattern in patterns for path in directory.rglob(pattern)}


def compare(server: LineServer, oracle: LineServer, case: Case, version: str) -> Optional[str]:
    request = as_request(case, version)
    real = oracle.ask(request)
    mine = server.ask({**request, "sys_path": real.get("base", request["sys_path"])})
    found = difference(case, mine, real)
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
def test_random_trees(version: str, commands: Commands, venvs: Venvs, tmp_path: Path) -> None:
    print(f"TESTMON_PRECREATE_SEED={SEED}")
    numbers = tuple(int(part) for part in version.split("."))

    def work(worker: int) -> List[str]:
        server = LineServer(str(commands.build / "tests" / "pytest" / "scan_test_files"))
        oracle = real_pytest(venvs, version)
        failures = []
        for number in range(worker, CASES, 2):
            root = tmp_path / f"{number}"
            failure = compare(server, oracle, Generator(SEED + number, root, numbers).case(), version)
            if failure is not None:
                failures.append(f"seed {SEED}, case {number}: {failure}")
            shutil.rmtree(root)
        server.close()
        oracle.close()
        return failures

    with ThreadPoolExecutor(2) as pool:
        failures = [failure for part in pool.map(work, range(2)) for failure in part]
    assert not failures, f"{len(failures)} of {CASES} trees differ:\n" + "\n".join(failures[:3])
