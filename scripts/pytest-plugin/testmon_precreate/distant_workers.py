"""Refuses workers in another directory or on another machine, of which testmon would die.

Its data file is not there, as xdist's rsync does not copy dot-files.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from testmon_precreate import testmon_internals as internals


def is_near(spec: Any) -> bool:
    """Whether a worker of this execnet.XSpec works in this process's directory."""
    here = os.path.realpath(os.getcwd())
    return bool(spec.popen) and not spec.via and (not spec.chdir or os.path.realpath(spec.chdir) == here)


def refuse_distant_workers(config: pytest.Config) -> None:
    """Raises pytest.UsageError if --tx asks for one."""
    for text, spec in internals.worker_specs(config):
        if not is_near(spec):
            raise pytest.UsageError(
                f"testmon-precreate: --tx {text}: testmon cannot follow workers into another directory or onto another"
                " machine, as its data file is not there. Let each machine run a shard instead, as in `testmon-precreate"
                " run --shard 1/2 -- pytest --testmon -n 4`, or run without testmon (--no-testmon)."
            )
