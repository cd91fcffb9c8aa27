"""What the benchmarks share: what they measure, and how: alternating runs, medians, ratios of one session side by side."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from support import Commands, Venvs

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["TESTMON_PRECREATE_BUILD"]).resolve()
COMMANDS = Commands(BUILD, SOURCE)
VENVS = Venvs(SOURCE / "build" / "venvs")


def wall_seconds(command: Sequence[str], **options) -> float:
    """The wall time of one run; raises if the command fails."""
    options.setdefault("stdout", subprocess.DEVNULL)
    options.setdefault("stderr", subprocess.DEVNULL)
    start = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, **options)
    return time.perf_counter() - start


def alternate(candidates: Dict[str, Callable[[], float]], rounds: int) -> Dict[str, List[float]]:
    """Runs every candidate once a round, so that a busy machine slows all of them alike. One round more
    comes first and is thrown away: it warms caches."""
    times: Dict[str, List[float]] = {name: [] for name in candidates}
    for round_number in range(rounds + 1):
        for name, run in candidates.items():
            seconds = run()
            if round_number > 0:
                times[name].append(seconds)
    return times


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(percent * len(ordered)) // 100) - 1))]


def peak_memory_mib(command: Sequence[str], **options) -> float:
    """The peak resident set of one run, MiB; raises if the command fails. GNU time starts it: what Python starts
    itself counts Python's own peak as the child's, because exec keeps the maximum of the image it replaces (see
    setmax_mm_hiwater_rss in Linux' fs/exec.c)."""
    options.setdefault("stdout", subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile("r") as report:
        words = ["time", "--format", "%M", "--output", report.name, *map(str, command)]
        subprocess.run(words, check=True, **options)
        return int(report.read()) / 1024


class Table:
    """Prints one line a figure: what, ours, theirs, ratio, target, whether it was reached."""

    def __init__(self, title: str) -> None:
        self.missed = 0
        print(f"\n{title}\n{'-' * len(title)}", flush=True)

    def ratio(self, what: str, ours: Sequence[float], theirs: Sequence[float], target: Optional[float]) -> None:
        ours_median, theirs_median = statistics.median(ours), statistics.median(theirs)
        value = ours_median / theirs_median
        self._line(what, f"{ours_median * 1e3:.2f} ms / {theirs_median * 1e3:.2f} ms = {value:.3f}", value, target)

    def value(self, what: str, value: float, unit: str, target: Optional[float]) -> None:
        self._line(what, f"{value:.2f} {unit}", value, target)

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def system_calls(self, what: str, command: Sequence[str], **options) -> None:
        """What strace, if it is installed, counts in one run: all of them, and the most frequent ones."""
        if not shutil.which("strace"):
            return
        with tempfile.NamedTemporaryFile("r") as report:
            words = ["strace", "-f", "-c", "-o", report.name, *command]
            subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
            rows = [line.split() for line in report]
        counts = {row[-1]: int(row[3]) for row in rows if len(row) > 4 and row[3].isdigit() and row[-1] != "total"}
        most = sorted(counts, key=lambda name: -counts[name])[:7]
        named = ", ".join(f"{name} {counts[name]}" for name in most)
        self.note(f"{what}: {sum(counts.values())} system calls: {named}")

    def _line(self, what: str, figure: str, value: float, target: Optional[float]) -> None:
        verdict = ""
        if target is not None:
            reached = value <= target
            self.missed += not reached
            verdict = f"  target {target:g}  {'reached' if reached else 'MISSED'}"
        print(f"  {what:<58} {figure}{verdict}", flush=True)
