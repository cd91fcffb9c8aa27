"""Finds and calls the commands that do the work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any, Callable, Dict, Optional, Sequence

BIN_DIRECTORY = "TESTMON_XDIST_BIN_DIR"


class CommandFailed(Exception):
    """A command is missing, did not end in time or failed; the text says which and why."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def _find(name: str) -> str:
    """The command that belongs to this package: `testmon-precreate run` names its own directory, an
    installation has bin/ four levels above its package (PREFIX/lib/pythonX.Y/site-packages/… as well
    as PREFIX/share/testmon-precreate/pytest-plugin/…), and all else is a matter of PATH."""
    prefix = os.path.abspath(__file__)
    for _ in range(5):
        prefix = os.path.dirname(prefix)
    for directory in (os.environ.get(BIN_DIRECTORY), os.path.join(prefix, "bin")):
        path = os.path.join(directory, name) if directory else ""
        if path and os.access(path, os.X_OK):
            return path
    found = shutil.which(name)
    if found is None:
        raise CommandFailed(f"{name} was found neither in {prefix}/bin nor on PATH")
    return found


def call(
    name: str,
    arguments: Sequence[str],
    *,
    timeout: float,
    text: str = "",
    directory: Optional[str] = None,
    coordination_directory: Optional[str] = None,
    log: Optional[Callable[[str], None]] = None,
    warn: Optional[Callable[[str], object]] = None,
) -> bytes:
    """What the command prints. It uses `coordination_directory`; `log` gets what it says on standard error, `warn` each
    of its warnings. Raises CommandFailed.
    """
    try:
        result = subprocess.run(
            [_find(name), *arguments],
            input=text.encode(),
            capture_output=True,
            timeout=timeout,
            cwd=directory,
            env={**os.environ, "TESTMON_XDIST_DIR": coordination_directory} if coordination_directory else None,
        )
    except (OSError, ValueError, OverflowError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{name}: {error}") from error
    said = result.stderr.decode(errors="replace")
    if log is not None and said:
        log(said)
    for line in said.splitlines():
        if warn is not None and line.startswith(f"{name}: warning: "):
            warn(line[len(f"{name}: warning: ") :])
    if result.returncode != 0:
        lines = said.strip().splitlines()
        text = lines[-1] if lines else f"{name} failed with exit code {result.returncode}"
        text = text[len(f"{name}: error: ") :] if text.startswith(f"{name}: error: ") else text
        raise CommandFailed(text, result.returncode)
    return result.stdout


def call_for_state(name: str, arguments: Sequence[str], **options: Any) -> Dict[str, Any]:
    """The coordination state that the command prints with --json. Raises CommandFailed."""
    output = call(name, arguments, **options)
    try:
        state = json.loads(output)
        if not isinstance(state["system_packages_full"], str):
            raise ValueError("system_packages_full is not a string")
    except (ValueError, KeyError, TypeError) as error:
        # Switched off, a command says so and prints nothing.
        raise CommandFailed(f"{name} printed no usable state: {error!r}") from error
    return dict(state)
