"""The whole `testmon-precreate prepare`: 400 distributions, 2,000 test files, a matching row.

Against the start of an interpreter that does nothing, which any solution in Python pays at least.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from measure import Table, alternate, peak_memory_mib, wall_seconds
from support import Commands, Project, Venvs

SOURCE = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = 400
TEST_FILES = 2000
FILES_A_DIRECTORY = 50
DESCRIPTION = "Description: " + "\n        ".join(["A line of a long description."] * 340) + "\n"


def make_project(path: Path) -> Project:
    project = Project.sample(path)
    for number in range(TEST_FILES - 2):
        directory = path / "tests" / f"part_{number // FILES_A_DIRECTORY}"
        directory.mkdir(exist_ok=True)
        (directory / f"test_{number}.py").write_text("def test_it():\n    pass\n")
    return project


def add_distributions(venv) -> None:
    """Metadata of 10 KiB each, as real packages have."""
    present = len(list(venv.site_packages.glob("*.dist-info")))
    for number in range(DISTRIBUTIONS - present):
        directory = venv.add_distribution(f"package-{number:03}", f"1.{number}.3")
        metadata = directory / "METADATA"
        metadata.write_text(metadata.read_text() + DESCRIPTION)


def strace_summary(command, **options) -> str:
    result = subprocess.run(["strace", "-f", "-c", "-o", "/dev/stdout", *command], text=True, capture_output=True, **options)
    rows = [line.split() for line in result.stdout.splitlines()[2:] if line.strip()]
    calls = sorted(((int(row[3]), row[-1]) for row in rows if row[3:4] and row[3].isdigit()), reverse=True)
    calls = [(count, name) for count, name in calls if name != "total"]
    return f"{sum(count for count, _ in calls)} system calls: " + ", ".join(f"{name} {count}" for count, name in calls[:6])


def main() -> None:
    commands = Commands(Path(os.environ["TESTMON_PRECREATE_BUILD"]).resolve(), SOURCE)
    with tempfile.TemporaryDirectory() as scratch:
        venv = Venvs(SOURCE / "build" / "venvs").get("pytest-testmon==2.2.0", "pytest-xdist").copy(Path(scratch) / "venv")
        add_distributions(venv)
        project = make_project(Path(scratch) / "project")
        environment = venv.environment(commands)
        options = {"cwd": project.path, "env": environment}
        prepare = [commands.precreate, "prepare", "--quiet", "-n", "4"]

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
        if shutil.which("strace"):
            table.note(strace_summary(prepare, **options))


if __name__ == "__main__":
    main()
