"""Which functions of the project run before the first test does: decorators, say, and what makes a constant."""

from __future__ import annotations

import sys
from dis import findlinestarts
from types import CodeType
from typing import Any, Callable, Dict, List, Optional, Set

from testmon_precreate.import_inputs import is_function

TOOL_ID = 4  # of sys.monitoring; those of debuggers, coverage, profilers and optimizers are others


class ImportTimeCode:
    """Watches this thread from start() to stop(); not if something else profiles it."""

    def __init__(self, relative: Callable[[str], Optional[str]]) -> None:
        self._relative = relative
        self._codes: Set[CodeType] = set()
        self._monitoring: Any = getattr(sys, "monitoring", None)
        self._profiler: Any = None
        self._is_on = False

    def start(self) -> None:
        monitoring = self._monitoring
        if monitoring is None:
            from _lsprof import Profiler

            if sys.getprofile() is None:
                self._profiler = Profiler(subcalls=False, builtins=False)
                self._profiler.enable()
        elif monitoring.get_tool(TOOL_ID) is None:
            monitoring.use_tool_id(TOOL_ID, "testmon-precreate")
            monitoring.register_callback(TOOL_ID, monitoring.events.PY_START, self._started)
            monitoring.set_events(TOOL_ID, monitoring.events.PY_START)
            self._is_on = True

    def _started(self, code: CodeType, offset: int) -> Any:
        self._codes.add(code)
        return self._monitoring.DISABLE

    def stop(self) -> None:
        if self._profiler is not None:
            self._profiler.disable()
            self._codes = {entry.code for entry in self._profiler.getstats() if isinstance(entry.code, CodeType)}
            self._profiler = None
        if self._is_on:
            self._is_on = False
            self._monitoring.set_events(TOOL_ID, 0)
            self._monitoring.register_callback(TOOL_ID, self._monitoring.events.PY_START, None)
            self._monitoring.free_tool_id(TOOL_ID)

    def lines(self) -> Dict[str, List[int]]:
        """For each file the lines of its functions that have run."""
        found: Dict[str, Set[int]] = {}
        for code in self._codes:
            path = self._relative(code.co_filename) if is_function(code) else None
            if path is not None:
                lines = {line for _, line in findlinestarts(code) if line is not None}
                found.setdefault(path, set()).update(lines - {code.co_firstlineno} or lines)
        self._codes = set()
        return {path: sorted(lines) for path, lines in found.items()}
