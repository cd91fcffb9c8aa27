"""Which files are read: by a test, for a fixture that several tests share, or while a module is imported."""

from __future__ import annotations

import os
import sys
from typing import Any, Dict, Iterable, Optional, Set

from testmon_precreate.project_files import ProjectFiles
from testmon_precreate.testmon_internals import READING_MODULE

WRITING = os.O_WRONLY | os.O_RDWR


class FileInputs:
    def __init__(self, files: ProjectFiles) -> None:
        self._files = files
        self._reading: Optional[Set[str]] = None
        self._of_fixtures: Dict[int, Set[str]] = {}  # by the id of their definition, which lives as long as the run
        self.of_modules: Dict[str, Set[str]] = {}
        self.written: Set[str] = set()

    def opened(self, path: Any, flags: int) -> None:
        """Called for every file that is opened, in whichever way Python does that."""
        frame = sys._getframe(1).f_back  # of what opens the file; none for what a thread of C does
        if frame is not None and frame.f_globals.get("__name__") == READING_MODULE:
            return  # testmon compares it with what is recorded
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        relative = self._files.relative(path) if isinstance(path, str) else None
        if relative is None:
            return
        if flags & WRITING:
            self.written.add(relative)
            return
        reading = self._reading
        if reading is None or relative not in reading:
            self._note_module(relative, frame)
            if reading is not None:
                reading.add(relative)

    def _note_module(self, relative: str, frame: Any) -> None:
        """A file that is read while a module is imported counts for all that import it. Outside of tests it counts for
        the module that reads it, say a conftest file with a hook."""
        nearest = None
        while frame is not None:
            module = self._files.relative(frame.f_code.co_filename)
            if module is not None:
                nearest = nearest or module
                if frame.f_code.co_name == "<module>":
                    self.of_modules.setdefault(module, set()).add(relative)
                    return
            frame = frame.f_back
        if self._reading is None and nearest is not None:
            self.of_modules.setdefault(nearest, set()).add(relative)

    # --- Whose they are ---

    def begin(self) -> Optional[Set[str]]:
        """From now on what is read goes to a new set; returns the one before, for end()."""
        before, self._reading = self._reading, set()
        return before

    def end(self, before: Optional[Set[str]]) -> Set[str]:
        read, self._reading = self._reading or set(), before
        return read

    def keep_for_fixture(self, definition: Any, read: Set[str]) -> None:
        self._of_fixtures[id(definition)] = read

    def read_by_test(self, definitions: Iterable[Any]) -> Set[str]:
        """What the present test has read, and what was read for the fixtures that it uses."""
        return set(self._reading or ()).union(*(self._of_fixtures.get(id(one), ()) for one in definitions))
