"""Spares the garbage collector what stays loaded until the process ends.

By the time the command line is read, pytest, its plugins, testmon and coverage have made some 37,000 objects. Every
full collection walks all of them, the last ones when the process ends, and there are as many processes as workers: on a
small suite that costs more than scanning an environment of hundreds of packages. `gc.freeze()` takes these objects out
of the collector's sight. What conftest files and tests make comes later, and is collected as ever.

The interpreter's last collections also end objects that refer to each other in a circle. A frozen one they pass over,
so nothing is frozen where one of them would have something to do then: a file to write out, or a `__del__`.
"""

from __future__ import annotations

import gc
import io
import os
from typing import Any

VARIABLE = "TESTMON_XDIST_FREEZE"
# Their `__del__` only closes what the end of the process closes too.
_HARMLESS_MODULES = ("builtins", "_io", "_pytest", "execnet", "tempfile", "subprocess", "threading")
_WRITERS = {io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom}


def spare() -> None:
    """Freezes what is loaded, unless that could be noticed at the end or the variable says no."""
    # What is neither is refused by the commands.
    if os.environ.get(VARIABLE, "").strip().lower() not in ("", "1", "true", "yes", "on"):
        return
    if not hasattr(gc, "freeze"):  # PyPy
        return
    objects = gc.get_objects()
    kinds = [kind for kind in set(map(type, objects)) if hasattr(kind, "__del__")]
    if any(kind.__module__.partition(".")[0] not in _HARMLESS_MODULES for kind in kinds):
        return
    if not any(type(one) in _WRITERS and _is_named_file(one) for one in objects):
        gc.freeze()


def _is_named_file(file: Any) -> bool:
    """Whether somebody has opened it by its path to write to it. pytest's and execnet's own go by a descriptor."""
    try:
        name = getattr(file, "name", None)
        return isinstance(name, (str, bytes)) and name not in ("<stdin>", "<stdout>", "<stderr>") and file.writable()
    except ValueError:  # closed already
        return False
