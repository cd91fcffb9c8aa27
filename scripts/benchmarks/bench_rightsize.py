"""What a run of `pytest --testmon -n 8` takes if the number of workers follows from what changed, beside stock testmon and
beside the plugin with as many workers as asked for. Whole runs, alternating. RIGHTSIZE_FILES makes the large suite smaller."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Callable, Dict, List

from measure import COMMANDS, VENVS, Table, alternate, wall_seconds
from plugin_support import NEW, plugin_environment
from support import Venv

FILES = int(os.environ.get("RIGHTSIZE_FILES", "1500"))
TESTS_IN_A_FILE = 12
SMALL = 80  # files
ROUNDS = int(os.environ.get("RIGHTSIZE_ROUNDS", "5"))


def make_project(root: Path, files: int, seconds_of_import: float = 0) -> None:
    """Modelled on a large suite of short tests: a module of their own for every five files, a conftest that all use."""
    (root / "tests").mkdir(parents=True)
    for number in range(max(1, files // 5)):
        functions = "".join(f"def function_{i}(value):\n    return value + {i}\n\n\n" for i in range(60))
        (root / f"module_{number}.py").write_text(functions)
    for number in range(files):
        module = f"module_{number // 5}"
        first = number % 5 * TESTS_IN_A_FILE
        tests = "".join(
            f"def test_{i}(base):\n    assert {module}.function_{first + i}(base) == {first + i}\n\n\n"
            for i in range(TESTS_IN_A_FILE)
        )
        (root / "tests" / f"test_{number}.py").write_text(f"import {module}\n\n\n{tests}")
    (root / "conftest.py").write_text(
        f"import time\n\nimport pytest\n\nimport shared\n\nend = time.process_time() + {seconds_of_import}\n"
        "while time.process_time() < end:  # an import works, it does not wait\n    pass\n\n\n"
        "@pytest.fixture\ndef base():\n    return shared.base()\n"
    )
    (root / "shared.py").write_text("def base():\n    return 0\n")
    (root / "pytest.ini").write_text("[pytest]\ntestpaths = tests\npythonpath = .\n")


class Suite:
    """A project with recorded tests, from which each run starts."""

    def __init__(self, root: Path, venv: Venv) -> None:
        self.root, self.venv = root, venv
        self.plugin = plugin_environment(venv, COMMANDS, XDG_CACHE_HOME=str(root.parent / "cache"))
        self.fixed = {**self.plugin, "TESTMON_XDIST_WORKERS": "fixed"}
        self.stock = venv.environment()
        self._call("0", self.plugin)
        self._call("8", self.fixed)  # what a start costs
        self._call("1", self.fixed)
        self.data = root.parent / f"{root.name}.testmondata"
        shutil.copy(root / ".testmondata", self.data)

    def _call(self, workers: str, environment: Dict[str, str]) -> float:
        command = [self.venv.python, "-m", "pytest", "-q", "--testmon", "-n", workers]
        return wall_seconds(command, cwd=self.root, env=environment)

    def run(self, workers: str, environment: Dict[str, str]) -> float:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.root / '.testmondata'}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.data, self.root / ".testmondata")
        return self._call(workers, environment)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def affected(self) -> str:
        return COMMANDS.run(COMMANDS.precreate, "affected", "--count", cwd=self.root, env=self.plugin).stdout.strip()

    def alternate(self, **candidates: Dict[str, str]) -> Dict[str, List[float]]:
        runs: Dict[str, Callable[[], float]] = {
            name: (lambda name=name, environment=environment: self.run("0" if name == "single" else "8", environment))
            for name, environment in candidates.items()
        }
        return alternate(runs, ROUNDS)


def main() -> None:
    venv = VENVS.get(*NEW)
    with tempfile.TemporaryDirectory() as scratch:
        large, small, slow = (Path(scratch) / name for name in ("large", "small", "slow"))
        make_project(large, FILES)
        suite = Suite(large, venv)
        table = Table(f"-n 8 with as many workers as pay off: {FILES * TESTS_IN_A_FILE} tests in {FILES} files")
        times = suite.alternate(ours=suite.plugin, stock=suite.stock, single=suite.stock)
        table.ratio("nothing changed, beside stock", times["ours"], times["stock"], 0.35)
        table.ratio("nothing changed, beside stock -n 0", times["ours"], times["single"], 1.10)
        for number in range(5):
            suite.edit("module_0.py", f"value + {number}\n", f"{number} + value\n")
        times = suite.alternate(ours=suite.plugin, stock=suite.stock)
        table.ratio("five functions changed, beside stock", times["ours"], times["stock"], 0.6)
        table.note(f"tests of the changed file: {suite.affected()}")

        make_project(small, SMALL)
        suite = Suite(small, venv)
        suite.edit("shared.py", "return 0", "return 1 - 1")
        table = Table(f"{SMALL * TESTS_IN_A_FILE} tests, all of them affected")
        times = suite.alternate(ours=suite.plugin, fixed=suite.fixed)
        table.ratio("beside as many workers as asked for", times["ours"], times["fixed"], 1.0)

        make_project(slow, SMALL, seconds_of_import=1)
        suite = Suite(slow, venv)
        table = Table("imports that take a second, nothing changed")
        times = suite.alternate(ours=suite.plugin, stock=suite.stock)
        table.ratio("beside stock", times["ours"], times["stock"], 0.35)


if __name__ == "__main__":
    main()
