"""The whole `testmon-precreate prepare`: 400 distributions, 2,000 test files, a matching row.

Against the start of an interpreter that does nothing, which any solution in Python pays at least.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench_packages import DISTRIBUTIONS, add_distributions
from measure import COMMANDS, VENVS, Table, alternate, peak_memory_mib, wall_seconds
from support import Project

TEST_FILES = 2000
FILES_A_DIRECTORY = 50


def make_project(path: Path) -> Project:
    project = Project.sample(path)
    for number in range(TEST_FILES - 2):
        directory = path / "tests" / f"part_{number // FILES_A_DIRECTORY}"
        directory.mkdir(exist_ok=True)
        (directory / f"test_{number}.py").write_text("def test_it():\n    pass\n")
    return project


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        venv = VENVS.get("pytest-testmon==2.2.0", "pytest-xdist").copy(Path(scratch) / "venv")
        add_distributions(venv)
        project = make_project(Path(scratch) / "project")
        environment = venv.environment(COMMANDS)
        options = {"cwd": project.path, "env": environment}
        prepare = [COMMANDS.precreate, "prepare", "--quiet", "-n", "4"]

        table = Table(f"prepare: {DISTRIBUTIONS} distributions, {TEST_FILES} test files")
        times = alternate(
            {
                "prepare": lambda: wall_seconds(prepare, **options),
                "python": lambda: wall_seconds([venv.python, "-c", "pass"], **options),
            },
            30,
        )
        table.ratio("prepare / python -c pass", times["prepare"], times["python"], None)
        table.value("peak memory", peak_memory_mib(prepare, **options), "MiB", 24)
        table.system_calls("prepare", prepare, **options)


if __name__ == "__main__":
    main()
