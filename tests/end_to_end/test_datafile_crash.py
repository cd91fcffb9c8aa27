"""A process that prepares a data file is killed, or its disk fails, at every system call that writes.

Whatever the moment: the file opens, is sound, holds the state before or the state after, and the next
`prepare` succeeds. strace injects the faults; the driver does nothing but prepare the file.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest

from datafile_support import Driver, add_tests, content, copy_directory, run

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

# What changes a file, a directory or a disk. Opening counts: it can create.
WRITING = (
    "openat,open,creat,write,pwrite64,pwritev,writev,ftruncate,truncate,fallocate,fsync,fdatasync,"
    "link,linkat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,chmod,fchmod,fchmodat"
).split(",")
DATAFILE = ".testmondata"


class Scenario:
    def __init__(self, prepare: Callable[[Driver, Path], None], packages: str, data_version: int) -> None:
        self.make_before = prepare
        self.packages = packages
        self.data_version = data_version

    def command(self, driver: Driver, directory: Path) -> List[str]:
        return driver.command(directory / DATAFILE, self.packages, self.data_version)


def nothing(driver: Driver, directory: Path) -> None:
    pass


def one_environment(driver: Driver, directory: Path) -> None:
    assert driver.prepare(directory / DATAFILE, "a 1.0").returncode == 0
    add_tests(directory / DATAFILE, 1)


def two_environments(driver: Driver, directory: Path) -> None:
    one_environment(driver, directory)
    assert driver.prepare(directory / DATAFILE, "a 2.0").returncode == 0
    add_tests(directory / DATAFILE, 2)


SCENARIOS: Dict[str, Scenario] = {
    "create": Scenario(nothing, "a 1.0", 13),
    "park": Scenario(one_environment, "a 2.0", 13),
    "restore": Scenario(two_environments, "a 1.0", 13),
    "upgrade": Scenario(two_environments, "a 2.0", 14),
    "downgrade": Scenario(two_environments, "a 1.0", 12),
}


def writing_calls(command: List[str], directory: Path) -> Counter:
    """How often each system call that writes occurs in one undisturbed run; strace counts them by thread."""
    log = directory.parent / "strace.log"
    result = run(["strace", "-f", "-o", str(log), "-e", "trace=" + ",".join(WRITING), *command])
    assert result.returncode == 0, result.stderr
    by_thread: Dict[str, Counter] = {}
    for thread, name in re.findall(r"^(\d+) +(\w+)\(", log.read_text(), re.MULTILINE):
        by_thread.setdefault(thread, Counter())[name] += 1
    most: Counter = Counter()
    for calls in by_thread.values():
        most |= calls
    return most


def moments(calls: Counter, fault: str) -> List[Tuple[str, int]]:
    # A disk does not fail in opening the program's own libraries or in reading, nor is every call able to fail so.
    able = WRITING if fault == "signal=SIGKILL" else [n for n in WRITING if n not in ("chmod", "fchmod", "fchmodat")]
    return [(name, number) for name in able for number in range(1, calls[name] + 1)]


@pytest.mark.parametrize("fault", ["signal=SIGKILL", "error=ENOSPC", "error=EIO"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_moment_leaves_the_old_file_or_the_new_one(name, fault, commands, tmp_path):
    driver = Driver(commands)
    scenario = SCENARIOS[name]
    base = tmp_path / "base"
    base.mkdir()
    scenario.make_before(driver, base)
    before = content(base / DATAFILE)
    reference = copy_directory(base, tmp_path / "reference")
    calls = writing_calls(scenario.command(driver, reference), reference)
    after = content(reference / DATAFILE)
    names_after = sorted(path.name for path in reference.iterdir())
    assert before != after
    faults = moments(calls, fault)
    assert len(faults) >= 5, calls

    def disturb(moment: Tuple[str, int]) -> int:
        call, number = moment
        directory = copy_directory(base, tmp_path / f"{call}-{number}")
        inject = f"inject={call}:{fault}:when={number}"
        command = scenario.command(driver, directory)
        result = run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, *command])
        where = f"{call} number {number}: {result.stderr}"
        if fault == "signal=SIGKILL":
            assert result.returncode in (-9, 137), where
        else:
            assert result.returncode in (0, 8), where
        # Looking at a copy: the next `prepare` must find what the fault left, not what Python's SQLite made of it.
        seen = content(copy_directory(directory, tmp_path / f"{call}-{number}-seen") / DATAFILE)
        assert seen in (before, after), where
        if result.returncode == 0:
            assert seen == after, where
        again = run(command)
        assert again.returncode == 0, f"{where}\n{again.stderr}"
        assert content(directory / DATAFILE) == after, where
        assert sorted(path.name for path in directory.iterdir()) == names_after, where
        return result.returncode

    with ThreadPoolExecutor(2) as pool:
        codes = Counter(pool.map(disturb, faults))
    print(f"{name}, {fault}: {len(faults)} moments, exit codes {dict(codes)}")
    if fault == "signal=SIGKILL":
        assert sum(codes.values()) == len(faults)
    else:
        assert codes[8] > 0, "no fault reached the data file"
