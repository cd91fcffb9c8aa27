"""Finds the Python interpreters of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Dict, List, Optional

import pytest

SUPPORTED = tuple(f"3.{minor}" for minor in range(8, 14))


@lru_cache(maxsize=None)
def pythons() -> Dict[str, str]:
    """An interpreter for each minor version from 3.8 on: pyenv's first, then those on PATH."""
    found: Dict[str, str] = {}
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = sorted(root.glob("versions/3.*/bin/python"), key=lambda path: _numbers(path.parts[-3]), reverse=True)
    for minor in range(8, 20):
        for python in [str(path) for path in candidates] + [shutil.which(f"python3.{minor}")]:
            if python and _version(python) == f"3.{minor}":
                found.setdefault(f"3.{minor}", python)
    return found


def _numbers(text: str):
    return [int(number) for number in re.findall(r"\d+", text)]


@lru_cache(maxsize=None)
def _version(python: str) -> Optional[str]:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    result = subprocess.run([python, "-c", code], text=True, capture_output=True)
    return result.stdout.strip() if result.returncode == 0 else None


def missing_pythons() -> List[str]:
    """The minor versions that we support and that this machine has no interpreter of."""
    return [version for version in SUPPORTED if version not in pythons()]


def python_of(version: str) -> str:
    """The interpreter of that minor version; one that is missing is fetched by uv if that works."""
    if version in pythons():
        return pythons()[version]
    import sys

    uv = [sys.executable, "-m", "uv", "--quiet", "python"]
    if subprocess.run([*uv, "install", version], capture_output=True).returncode == 0:
        return subprocess.run([*uv, "find", version], text=True, capture_output=True, check=True).stdout.strip()
    pytest.skip(f"NO PYTHON {version} on this machine")
    raise AssertionError


if __name__ == "__main__":  # for the closing lines of scripts/test
    if missing_pythons():
        print(f"Not tested here: Python {', '.join(missing_pythons())}, of which there is no interpreter")
