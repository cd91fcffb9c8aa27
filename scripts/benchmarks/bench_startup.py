"""How long `pytest --testmon -n N` takes from the shell, with the plugin and without.

Whole runs of 12 trivial tests, stock and ours in turns; each starts without a data file, and ours includes
preparation, waiting and clean-up. The environments hold the real pytest, xdist and testmon, and made-up
distributions whose metadata is like that of 489 real ones (median 5051 bytes in 139 lines, mean 8833 bytes in
213 lines): 40 packages are a small service, 400 a data scientist's machine. STARTUP_ROUNDS (default 15) sets how often each pair runs.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, List

from measure import COMMANDS, VENVS, Table, alternate
from plugin_support import plugin_environment
from support import Venv

ROUNDS = int(os.environ.get("STARTUP_ROUNDS", "15"))
REQUIREMENTS = ("pytest-testmon==2.2.0", "pytest>=9,<10", "pytest-xdist>=3.8,<4")


def fill(venv: Venv, count: int) -> None:
    """Adds distributions until there are `count`, always the same ones."""
    numbers = random.Random(1)
    classifiers = "".join(f"Classifier: Programming Language :: Python :: 3.{minor}\n" for minor in range(8, 14))
    line = "A line of a description as it is real\n"
    for index in range(len(list(venv.site_packages.glob("*.dist-info"))), count):
        directory = venv.add_distribution(f"sample-package-{index:03d}", f"1.{index}.2")
        with (directory / "METADATA").open("a") as metadata:
            metadata.write(f"Summary: A sample\n{classifiers}\n{line * round(numbers.lognormvariate(4.83, 0.9))}")
        (directory / "RECORD").write_text("".join(f"sample_{index}/m{k}.py,,\n" for k in range(numbers.randrange(5, 80))))
        if numbers.random() < 0.25:
            (directory / "entry_points.txt").write_text(f"[console_scripts]\nsample{index} = sample{index}:main\n")


def sample_project(directory: Path) -> Path:
    (directory / "tests").mkdir(parents=True)
    (directory / "pytest.ini").write_text("[pytest]\n")
    for index in range(12):
        (directory / "tests" / f"test_{index}.py").write_text(f"def test_{index}():\n    pass\n")
    return directory


class Startup:
    def __init__(self, scratch: Path, packages: int) -> None:
        self.venv = VENVS.get(*REQUIREMENTS).copy(scratch / f"venv{packages}")
        fill(self.venv, packages)
        # As pip leaves it; without it the first runs would be spent on compiling.
        subprocess.run([self.venv.python, "-m", "compileall", "-q", str(self.venv.site_packages)], check=True)
        self.project = sample_project(scratch / f"project{packages}")
        self.stock = self.venv.environment()
        self.ours = plugin_environment(self.venv, COMMANDS)
        self.off = dict(self.ours, TESTMON_XDIST_CONTROLLER_PRECREATION="false")

    def seconds(self, environment: Dict[str, str], *arguments: str) -> float:
        """Of one first run. Stock's workers select from a half-written file now and then: such a run is repeated."""
        for file in self.project.glob(".testmondata*"):
            file.unlink()
        command = [self.venv.python, "-m", "pytest", "-q", *arguments]
        start = time.perf_counter()
        result = subprocess.run(command, cwd=self.project, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - start
        if environment is self.stock and "Different tests were collected" in result.stdout:
            return self.seconds(environment, *arguments)
        assert result.returncode == 0 and "12 passed" in result.stdout, result.stdout + result.stderr
        assert "warning" not in result.stdout, result.stdout
        return seconds

    def compare(self, *arguments: str) -> Dict[str, List[float]]:
        return alternate(
            {
                "stock": lambda: self.seconds(self.stock, *arguments),
                "ours": lambda: self.seconds(self.ours, *arguments),
            },
            ROUNDS,
        )


IMPORT = """
import pytest, time
start = time.perf_counter()
import testmon_precreate.plugin
print((time.perf_counter() - start) * 1e3)
"""


def import_milliseconds(startup: Startup) -> float:
    """What loading the plugin adds to a process that has pytest loaded."""
    command = [startup.venv.python, "-c", IMPORT]
    runs = [subprocess.run(command, env=startup.off, check=True, capture_output=True, text=True) for _ in range(15)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> int:
    scratch = Path(tempfile.mkdtemp(prefix="startup-"))
    try:
        table = Table("Start-up: pytest --testmon -n N, 12 trivial tests (with us / without)")
        large, small = Startup(scratch, 400), Startup(scratch, 40)
        for workers, target in ((8, 0.80), (2, 0.80)):
            times = large.compare("--testmon", "-n", str(workers))
            table.ratio(f"400 packages, -n {workers}", times["ours"], times["stock"], target)
        times = small.compare("--testmon", "-n", "8")
        table.ratio("40 packages, -n 8", times["ours"], times["stock"], 1.02)

        # What we add to a worker shows best if there is next to nothing to save.
        added = {}
        for workers in (2, 4, 8, 16):
            times = small.compare("--testmon", "-n", str(workers))
            added[workers] = (statistics.median(times["ours"]) - statistics.median(times["stock"])) * 1e3
            table.note(f"40 packages, -n {workers}: we add {added[workers]:+.1f} ms to the whole run")
        table.value("growth per worker from -n 2 to -n 16", (added[16] - added[2]) / 14, "ms", 6)

        times = small.compare("--testmon", "-n", "0")
        table.ratio("40 packages, -n 0", times["ours"], times["stock"], None)
        times = small.compare("-n", "2")
        table.ratio("40 packages, -n 2 without --testmon", times["ours"], times["stock"], None)
        table.value("import of the plugin", import_milliseconds(small), "ms", 1)
        return 1 if table.missed else 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
