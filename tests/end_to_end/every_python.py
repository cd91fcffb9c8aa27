"""Every Python that this project supports and that this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

OLDEST = (3, 8)

ASK = "import sys; print(*sys.version_info[:3], sys.implementation.name, sys.executable)"


def _candidates() -> Iterator[Path]:
    for minor in range(OLDEST[1], 30):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield Path(found)
    roots = [os.environ.get("PYENV_ROOT", ""), Path.home() / ".pyenv", "/opt/hostedtoolcache/Python", "/opt/python"]
    for root in filter(None, roots):
        yield from sorted(Path(root).glob("versions/*/bin/python3"))
        yield from sorted(Path(root).glob("*/x64/bin/python3"))
        yield from sorted(Path(root).glob("*/bin/python3"))
    yield Path("/usr/bin/python3")


@lru_cache(maxsize=None)
def every_python() -> List[Tuple[str, str]]:
    """(version, executable) of each one, oldest first; one executable a version."""
    found: Dict[Tuple[int, ...], str] = {}
    for candidate in _candidates():
        if not candidate.exists():
            continue
        answer = subprocess.run([str(candidate), "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        words = answer.stdout.split(maxsplit=4)
        if answer.returncode == 0 and len(words) == 5 and words[3] == "cpython":
            version = tuple(map(int, words[:3]))
            if version[:2] >= OLDEST:
                found.setdefault(version, words[4].strip())
    return [(".".join(map(str, version)), found[version]) for version in sorted(found)]


def newest_testmon(version: str) -> str:
    """The newest pytest-testmon among those that we test which this Python can install."""
    return "2.2.0" if tuple(map(int, version.split(".")[:2])) >= (3, 10) else "2.1.3"
