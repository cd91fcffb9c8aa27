"""The scan for test files in a tree of 100,000 files, as one process from start to exit.

Against fdfind with the same filter, and against the rglob loops of the original design in Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List

from measure import BUILD, Table, alternate, peak_memory_mib, wall_seconds

DIRECTORIES = 2_000
FILES = 100_000
ROUNDS = 15

# Modelled on a repository of many services: three levels of directories, fifty files in each of the lowest, of
# which one in five is a test file; the others are modules, data and templates.
NAMES = ["module_{}.py", "test_module_{}.py", "data_{}.json", "template_{}.html", "view_{}.py"]
LEAVES = 1_950  # with the directories above them: 2,000

ORIGINAL_DESIGN = """
import sys
from pathlib import Path
found = set()
for directory in ("tests", "test", "testing"):
    for pattern in ("test_*.py", "*_test.py", "tests.py"):
        found.update(Path(sys.argv[1], directory).rglob(pattern))
print("\\n".join(sorted(str(path) for path in found)))
"""
NOT_ENTERED = ["*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}", "__pycache__"]


def make_tree(root: Path) -> None:
    places = [root / "tests" / f"service_{n % 7}" / f"part_{n // 7 % 6}" / f"unit_{n}" for n in range(LEAVES)]
    for directory in places:
        directory.mkdir(parents=True)
    for number in range(FILES):
        directory = places[number % LEAVES]
        (directory / NAMES[number // LEAVES % len(NAMES)].format(number // LEAVES)).touch()
    (root / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")


def output_of(command: List[str], cwd: Path) -> List[str]:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    return sorted(os.path.relpath(cwd / line, cwd) for line in result.stdout.splitlines())


def processor_seconds(command: List[str], cwd: Path) -> str:
    """User and system time of one run."""
    with open(os.devnull, "w") as devnull:
        process = subprocess.Popen(command, cwd=cwd, stdout=devnull)
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return f"{usage.ru_utime * 1e3:.0f} ms in the program, {usage.ru_stime * 1e3:.0f} ms in the system"


def main() -> None:
    tool = BUILD / "tests" / "pytest" / "scan_test_files"
    fdfind = shutil.which("fdfind") or shutil.which("fd")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_tree(root)
        table = Table(f"Scan of {FILES} files in {sum(1 for _ in os.walk(root)) - 1} directories")
        ours = [str(tool), "--list", str(root)]
        theirs = [sys.executable, "-c", ORIGINAL_DESIGN, str(root)]
        candidates = {"ours": ours, "original design": theirs}
        if fdfind is not None:
            excluded = [word for pattern in NOT_ENTERED for word in ("--exclude", pattern)]
            candidates["fdfind"] = [
                fdfind, "--no-ignore", "--hidden", "--type", "file", *excluded, r"^(test_.*|.*_test)\.py$", str(root / "tests"),
            ]
        # Before this process grows: a child counts what its parent held when it was started.
        peak = peak_memory_mib(ours, cwd=root)
        found = {who: output_of(command, root) for who, command in candidates.items()}
        assert found["ours"] and all(paths == found["ours"] for paths in found.values())
        runs = {who: (lambda command=command: wall_seconds(command, cwd=root)) for who, command in candidates.items()}
        times = alternate(runs, ROUNDS)
        if fdfind is not None:
            table.ratio("whole process, against fdfind with the same filter", times["ours"], times["fdfind"], 1.0)
        else:
            table.note("fdfind is not installed: not compared")
        table.ratio("whole process, against the rglob loops", times["ours"], times["original design"], 0.08)
        table.value("peak memory", peak, "MiB", 24)
        table.note(f"ours: {processor_seconds(ours, root)}")
        for who, command in candidates.items():
            table.system_calls(who, command, cwd=root)
        table.note("Two calls a directory list it (getdents64 until it says 0), two open and close it; no entry is looked")
        table.note("at by itself. What bounds the scan is the system's own work of listing, as its share above shows.")


if __name__ == "__main__":
    main()
