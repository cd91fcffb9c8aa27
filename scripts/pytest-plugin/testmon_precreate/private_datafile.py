"""Has testmon open this run's own copy of the data file."""

from __future__ import annotations

import os
from typing import Optional

VARIABLE = "TESTMON_DATAFILE"


class PrivateDatafile:
    """Sets TESTMON_DATAFILE while testmon opens its data file; what tests start must not inherit it."""

    def __init__(self) -> None:
        self._is_used = False
        self._before: Optional[str] = None

    def use(self, path: str) -> None:
        self._before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = path
        self._is_used = True

    def restore(self) -> None:
        if self._is_used:
            self._is_used = False
            if self._before is None:
                os.environ.pop(VARIABLE, None)
            else:
                os.environ[VARIABLE] = self._before
