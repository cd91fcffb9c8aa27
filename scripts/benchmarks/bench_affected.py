"""What a change can affect, in a project of 50,000 tests in 5,000 files under git: `affected` as one process from start
to exit, against testmon's own `determine_stable` in a process that has imported all it needs.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List

from measure import COMMANDS, VENVS, Table, alternate, wall_seconds
from support import Venv, clean_environment

FILES = 5_000
TESTS_IN_A_FILE = 10
MODULES = 500
FUNCTIONS = 12  # in a module
ROUNDS = 7

# Modelled on a service with a test file a module and shared helpers: each test uses its own file, the conftest and four
# modules, of each the module's block and two functions.
FILL = """
import sys
from pathlib import Path
from testmon.db import DB
from testmon.process_code import Module, get_source_sha

root = Path(sys.argv[1])
files, tests_in_a_file, modules, functions = map(int, sys.argv[2:6])


def recorded(name, chosen):
    if name not in known:
        code, fsha = get_source_sha(directory=str(root), filename=name)
        known[name] = fsha, Module(source_code=code, ext="py", fs_fsha=fsha, filename=name, rootdir=str(root)).method_checksums
    fsha, checksums = known[name]
    return {"filename": name, "fsha": fsha, "method_checksums": [checksums[i] for i in chosen] + [checksums[-1]]}


known = {}
database = DB(str(root / ".testmondata"))
environment = database.fetch_or_create_environment("default", "a 1.0", "3.0.0")[0]
batch = {}
for number in range(files):
    for test in range(tests_in_a_file):
        name = f"tests/part_{number % 50}/test_{number}.py"
        used = [(number * 7 + test // 5 * 3 + i * 11) % modules for i in range(4)]
        deps = [recorded(name, [test]), recorded("conftest.py", [])]
        deps += [recorded(f"src/module_{i}.py", [test % functions, (test + 1) % functions]) for i in used]
        batch[f"{name}::test_{test}"] = {"deps": deps, "duration": 0.01, "failed": False, "forced": False}
database.insert_test_file_fps(batch, environment)
database.finish_execution(environment)
"""

DETERMINE = """
import sys, time
from testmon.testmon_core import TestmonData
from testmon.common import get_system_packages

start = time.perf_counter()
data = TestmonData.for_local_run(sys.argv[1], environment="default", system_packages="a 1.0", python_version="3.0.0")
data.determine_stable()
seconds = time.perf_counter() - start
print(seconds, len(data.unstable_test_names), len(data.all_tests))
"""


def source(functions: int, prefix: str) -> str:
    lines = ["import os", "", "CONSTANT = 1", ""]
    for number in range(functions):
        lines += ["", f"def {prefix}_{number}(value=1):", '    """Says what it is for, as functions do."""']
        lines += [f"    total_{i} = value * {number} + {i}  # an ordinary line of code" for i in range(6)]
        lines += [f"    assert total_{i} >= 0" for i in range(6)]
    return "\n".join(lines) + "\n"


def make_project(root: Path, venv: Venv) -> None:
    for number in range(FILES):
        path = root / "tests" / f"part_{number % 50}" / f"test_{number}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source(TESTS_IN_A_FILE, "test"))
    (root / "src").mkdir()
    for number in range(MODULES):
        (root / "src" / f"module_{number}.py").write_text(source(FUNCTIONS, "function"))
    (root / "conftest.py").write_text("import os\n")
    (root / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
    (root / ".gitignore").write_text(".testmondata*\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    sizes = map(str, (FILES, TESTS_IN_A_FILE, MODULES, FUNCTIONS))
    subprocess.run([venv.python, "-c", FILL, str(root), *sizes], cwd=root, check=True, env=clean_environment())


class Candidates:
    """Each one runs once and returns its seconds; testmon's are those of the call alone."""

    def __init__(self, root: Path, venv: Venv, scratch: Path) -> None:
        self.root, self.venv, self.scratch = root, venv, scratch
        self.answers: Dict[str, int] = {}

    def environment(self, cache: str) -> Dict[str, str]:
        return clean_environment(XDG_CACHE_HOME=str(self.scratch / cache))

    def remembered(self) -> float:
        return wall_seconds([COMMANDS.precreate, "affected"], cwd=self.root, env=self.environment("kept"))

    def fresh(self) -> float:
        shutil.rmtree(self.scratch / "new", ignore_errors=True)
        return wall_seconds([COMMANDS.precreate, "affected"], cwd=self.root, env=self.environment("new"))

    def testmon(self) -> float:
        result = subprocess.run(
            [self.venv.python, "-c", DETERMINE, str(self.root)],
            cwd=self.root, env=clean_environment(), text=True, capture_output=True, check=True,
        )  # fmt: skip
        seconds, affected, recorded = result.stdout.split()
        self.answers = {"affected": int(affected), "recorded": int(recorded)}
        return float(seconds)

    def ours(self) -> Dict:
        result = COMMANDS.run(COMMANDS.precreate, "affected", "--json", cwd=self.root, env=self.environment("kept"))
        return json.loads(result.stdout)

    def alternate(self) -> Dict[str, List[float]]:
        return alternate({"remembered": self.remembered, "fresh": self.fresh, "testmon": self.testmon}, ROUNDS)


def main() -> None:
    venv = VENVS.get("pytest-testmon==2.2.0", "pytest>=8,<9")
    with tempfile.TemporaryDirectory() as name:
        root, scratch = Path(name) / "project", Path(name)
        root.mkdir()
        make_project(root, venv)
        candidates = Candidates(root, venv, scratch)
        table = Table(f"What a change can affect: {FILES * TESTS_IN_A_FILE} tests in {FILES} files")
        times = candidates.alternate()
        assert candidates.answers == {"affected": 0, "recorded": FILES * TESTS_IN_A_FILE}, candidates.answers
        assert candidates.ours()["nothing_to_run"] and candidates.ours()["recorded_tests"] == FILES * TESTS_IN_A_FILE
        table.ratio("nothing changed, remembered", times["remembered"], times["testmon"], 0.15)
        table.ratio("nothing changed, a fresh checkout", times["fresh"], times["testmon"], 0.5)
        for number in range(3):
            module = root / "src" / f"module_{number}.py"
            module.write_text(module.read_text().replace("total_0 = value", "total_0 = 1 * value", 1))
        times = candidates.alternate()
        ours = candidates.ours()
        table.ratio("three modules changed, remembered", times["remembered"], times["testmon"], 0.15)
        table.note(f"affected tests: {ours['affected_tests']}; by testmon, function by function: {candidates.answers['affected']}")
        assert ours["affected_tests"] >= candidates.answers["affected"] > 0
        table.note(f"testmon's determine_stable: {statistics.median(times['testmon']) * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
