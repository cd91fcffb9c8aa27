"""The newest releases on PyPI beside those in which the plugin's foundations were seen (testmon_internals.SEEN_IN).

    python releases.py

Exits with 1 if a newer minor release is out.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Tuple

from support import Venvs

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "scripts" / "pytest-plugin"))

from testmon_precreate import testmon_internals as internals  # noqa: E402


def _minor(version: str) -> Tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def main() -> int:
    is_newer = False
    venvs = Venvs(SOURCE / "build" / "venvs")
    for name in internals.SEEN_IN:
        latest = venvs.latest_version(name)
        oldest, newest = internals.SEEN_IN[name]
        newer = _minor(latest) > _minor(newest)
        is_newer |= newer
        print(f"{name} {latest}: seen in {oldest} to {newest}{', so this one is new' if newer else ''}")
    return int(is_newer)


if __name__ == "__main__":
    raise SystemExit(main())
