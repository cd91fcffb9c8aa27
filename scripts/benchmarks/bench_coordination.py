"""The hand-over from the controller's state to its waiting workers, beside a Python worker that polls.

Models a run of 64 workers on a small machine: all wait, the controller renames its state into place, and each worker
acknowledges and exits. The time from just before the rename to the exit of the last one counts. Each round has a
rootdir of its own, and all are removed at the end: ext4 steps over the inodes of files that were removed within the
last minutes (recently_deleted in fs/ext4/ialloc.c), so rounds that remove their 64 files before the next one, unlike
runs that are minutes apart, make each other slower and slower. The same holds for a second start of this benchmark
within five minutes; TESTMON_PRECREATE_BENCH_DIR chooses another file system than the temporary directory's. The
polling design is measured in fewer rounds: one of its rounds lasts seconds, and its wait depends on when the state
comes, here 0.2 s to 1.2 s after the start of the workers. TESTMON_PRECREATE_BENCH_ROUNDS (200) sets the number of
rounds.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List

from coordination_support import STATE, Rootdir, make_state, wait_until_blocked
from measure import COMMANDS, Table, alternate, percentile, wall_seconds

ROUNDS = int(os.environ.get("TESTMON_PRECREATE_BENCH_ROUNDS", "200"))
POLLING_ROUNDS = max(3, ROUNDS // 20)
WAITERS = 3
POLLING = str(Path(__file__).resolve().parent / "polling_worker.py")


def new_rootdir(place: str) -> Rootdir:
    made = Rootdir(Path(tempfile.mkdtemp(dir=place)), COMMANDS)
    made.make_directory()
    return made


def hand_over(rootdir: Rootdir, workers: int, polling: bool) -> float:
    """Seconds from just before the rename of the state to the exit of the last worker."""
    processes = [start_worker(rootdir, number, polling) for number in range(workers)]
    if polling:
        # Until all of them have started; then the state comes at any moment of their intervals.
        time.sleep(0.02 * workers + random.uniform(0.2, 1.2))
    else:
        for process in processes:
            wait_until_blocked(process)
    written = rootdir.directory / "written"
    written.write_text(json.dumps(make_state()))
    start = time.perf_counter()
    os.rename(written, rootdir.directory / STATE)
    for process in processes:
        assert process.wait() == 0
    return time.perf_counter() - start


def start_worker(rootdir: Rootdir, number: int, polling: bool) -> subprocess.Popen:
    if polling:
        command = [sys.executable, "-S", POLLING, str(rootdir.directory), f"gw{number}"]
    else:
        command = [COMMANDS.await_, "--worker", f"gw{number}"]
    return subprocess.Popen(command, cwd=rootdir.path, env=rootdir.environment)


def report_hand_over(table: Table, place: str, workers: int, p50: float, p99: float) -> None:
    ours = [hand_over(new_rootdir(place), workers, polling=False) for _ in range(ROUNDS)]
    theirs = [hand_over(new_rootdir(place), workers, polling=True) for _ in range(POLLING_ROUNDS)]
    name = f"{workers} workers" if workers > 1 else "one worker"
    table.value(f"{name}, p50 of {ROUNDS} rounds", percentile(ours, 50) * 1e3, "ms", p50)
    table.value(f"{name}, p99", percentile(ours, 99) * 1e3, "ms", p99)
    table.note(
        f"{name}, polling, {POLLING_ROUNDS} rounds: p50 {percentile(theirs, 50) * 1e3:.0f} ms, "
        f"worst {max(theirs) * 1e3:.0f} ms"
    )


def cpu_milliseconds(process: subprocess.Popen) -> float:
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e6


def cpu_and_memory(commands: Dict[str, List[str]], rootdir: Rootdir, seconds: float) -> Dict[str, List[float]]:
    """By name: CPU milliseconds of starting, those of `seconds` of waiting after it, the peak resident set in MiB.

    All wait at the same time, WAITERS of each; the medians count.
    """
    environment = {**rootdir.environment, "TESTMON_XDIST_WORKER_TIMEOUT": str(2 * seconds)}
    with contextlib.ExitStack() as ending:
        processes = []
        for _ in range(WAITERS):
            for name, command in commands.items():
                process = subprocess.Popen(command, cwd=rootdir.path, env=environment, stderr=subprocess.DEVNULL)
                ending.callback(process.wait)
                ending.callback(process.kill)
                processes.append((name, process))
                time.sleep(0.137)  # so that they do not wake together
        time.sleep(0.3)
        starts = [cpu_milliseconds(process) for _, process in processes]
        time.sleep(seconds)
        found: Dict[str, List[List[float]]] = {name: [] for name in commands}
        for (name, process), start in zip(processes, starts):
            waiting = cpu_milliseconds(process) - start
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
            found[name].append([start, waiting, peak / 1024])
    return {name: [percentile(list(column), 50) for column in zip(*rows)] for name, rows in found.items()}


def report_waiting(table: Table, rootdir: Rootdir) -> None:
    await_ = [COMMANDS.await_, "--rootdir", str(rootdir.path)]
    least = str(rootdir.path / "least_waiter")
    subprocess.run(["cc", "-O2", "-o", least, str(Path(POLLING).with_name("least_waiter.c"))], check=True)
    figures = cpu_and_memory(
        {
            "with notifications": await_,
            "without notifications": ["env", "TESTMON_XDIST_NOTIFICATIONS=off", *await_],
            "polling": [sys.executable, "-S", POLLING, str(rootdir.directory), "gw0"],
            "least": [least, str(rootdir.directory / STATE)],
        },
        rootdir,
        30,
    )
    for name in ("with notifications", "without notifications"):
        start, waiting, memory = figures[name]
        table.value(f"CPU of a waiter over 30 s, {name}", waiting, "ms", 2)
        table.value(f"memory of a waiter, {name}", memory, "MiB", 8)
        table.note(f"its start took {start:.1f} ms of CPU")
    start, waiting, memory = figures["polling"]
    table.note(f"polling: CPU {waiting:.1f} ms over 30 s, {start:.1f} ms for its start, memory {memory:.1f} MiB")
    table.note(f"a C program that only sleeps and looks as often: CPU {figures['least'][1]:.1f} ms over 30 s")


def report_start_up(table: Table, rootdir: Rootdir) -> None:
    rootdir.write_state()
    run = {"cwd": rootdir.path, "env": rootdir.environment}
    await_ = [COMMANDS.await_, "--worker", "gw0"]
    times = alternate(
        {
            "await": lambda: wall_seconds(await_, **run),
            "true": lambda: wall_seconds(["/bin/true"], **run),
            "polling": lambda: wall_seconds([sys.executable, "-S", POLLING, str(rootdir.directory), "gw0"], **run),
        },
        ROUNDS,
    )
    medians = {name: percentile(values, 50) * 1e3 for name, values in times.items()}
    table.value("state already there: testmon-await", medians["await"], "ms", 1.5 * medians["true"] + 1)
    table.note(f"/bin/true {medians['true']:.2f} ms, polling {medians['polling']:.2f} ms")


def main() -> int:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TESTMON_PRECREATE_BENCH_DIR")) as place:
        table = Table("Coordination: from the state to the last worker")
        report_start_up(table, new_rootdir(place))
        report_hand_over(table, place, 1, p50=1, p99=5)
        report_hand_over(table, place, 64, p50=25, p99=25)
        report_waiting(table, new_rootdir(place))
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
