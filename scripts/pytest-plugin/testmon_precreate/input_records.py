"""Adds the inputs that were noted (inputs.py) to what testmon records of a test.

In the process that writes testmon's data file. To testmon each is one more file that the test depends on:

- Of an imported module it is the block of the module, and those of its functions that run when it is imported.
- Of another file, and of a module without any statement, it is a number made of the file's hash, which no block has.
  So a test runs again as soon as the file has another hash; testmon's own block of such a file is its text without some
  of the white space, and that of an empty file is nothing. (The number differs from content to content, because testmon
  looks fingerprints up by file and checksums alone.)
"""

from __future__ import annotations

import os
import time
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest

from testmon_precreate import testmon_internals as internals
from testmon_precreate.inputs import NOTES, Inputs
from testmon_precreate.messages import warn

# testmon reads a file as a whole, in every process of every run unless git vouches for it.
LARGEST_FILE = 8 << 20
MOST_NAMED = 5


class InputRecords:
    def __init__(self, config: pytest.Config, inputs: Optional[Inputs]) -> None:
        """`inputs` if the tests run in this process."""
        self._config = config
        self._inputs = inputs
        self._data: Any = None
        self._stock: Any = None
        self._started = time.time()
        self._tests: Dict[str, Tuple[List[List[str]], List[str]]] = {}
        self._lines: Dict[str, List[int]] = {}
        self._written: Set[str] = set()
        self._elsewhere: Set[str] = set()
        self._known: Dict[str, Optional[Dict[str, Any]]] = {}
        self._warned = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._data = internals.recording_data(self._config)
        if self._data is not None:
            self._stock = self._data.get_tests_fingerprints
            self._data.get_tests_fingerprints = self._tests_with_inputs

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        notes = report.__dict__.pop(NOTES, None)
        if notes is not None:
            self._add(notes)

    def _tests_with_inputs(self, nodes_files_lines: Any, reports: Any) -> Any:
        tests = self._stock(nodes_files_lines, reports)
        try:
            if self._inputs is not None:
                self._add(self._inputs.take())
            for test, record in tests.items():
                shared, read = self._tests.pop(test, ([[], []], []))
                self._add_modules(record["deps"], shared[0])
                self._add_files(record["deps"], [*shared[1], *read])
        except Exception as error:
            self._warn(repr(error))
        return tests

    def _add(self, notes: Dict[str, Any]) -> None:
        for test, (number, read) in notes["tests"].items():
            self._tests[test] = (notes["shared"][number], read)
        for path, lines in notes["lines"].items():
            self._lines.setdefault(path, lines)
        self._written.update(notes["written"])
        self._elsewhere.update(notes["elsewhere"])
        if notes["failure"]:
            self._warn(notes["failure"])

    def _warn(self, reason: str) -> None:
        if not self._warned:
            self._warned = True
            text = f"imports and data files of some tests could not be recorded: {reason}"
            warn(self._config, text, " – an edit of them may not run these tests again")

    # --- What testmon is to record ---

    def _add_modules(self, dependencies: List[Dict[str, Any]], paths: List[str]) -> None:
        present = {one["filename"]: one for one in dependencies}
        for path in paths:
            there = present.get(path)
            if there is not None and there["method_checksums"] and path not in self._lines:
                continue  # what covers a line of a file has its module's block
            dependency = self._record(path, self._module_checksums)
            if dependency is None:
                continue
            if there is None:
                dependencies.append(dependency)
            else:
                more = [one for one in dependency["method_checksums"] if one not in there["method_checksums"]]
                there["method_checksums"] = [*there["method_checksums"], *more]

    def _add_files(self, dependencies: List[Dict[str, Any]], paths: List[str]) -> None:
        present = {one["filename"] for one in dependencies}
        for path in paths:
            name = path if "." in path else "./" + path  # testmon ends with an error if there is no dot
            if name not in present and path not in self._written:
                dependency = self._record(name, self._file_checksums)
                if dependency is not None:
                    present.add(name)
                    dependencies.append(dependency)

    def _record(self, path: str, checksums: Any) -> Optional[Dict[str, Any]]:
        if path not in self._known:
            self._known[path] = self._look_at(path, checksums)
        return self._known[path]

    def _look_at(self, path: str, checksums: Any) -> Optional[Dict[str, Any]]:
        try:
            file = os.path.join(self._data.rootdir, path)
            is_usable = os.path.isfile(file) and os.access(file, os.R_OK) and os.path.getsize(file) <= LARGEST_FILE
            module = self._data.source_tree.get_file(path) if is_usable else None
            found = checksums(path, file, module) if module is not None else None
        except Exception:  # testmon cannot read it: it would fail on it in each later run, too
            return None
        if module is None or found is None:
            return None
        return {"filename": path, "mtime": module.mtime, "fsha": module.fs_fsha, "method_checksums": found}

    def _module_checksums(self, path: str, file: str, module: Any) -> Optional[List[int]]:
        lines = self._lines.get(path, [])
        known = [] if lines else internals.known_module_checksums(self._data, module)
        if known or module.blocks:
            return known or internals.checksums_of_lines(module, lines)
        return [number_of(module.fs_fsha)] if not has_statement(module.source_code) else None

    def _file_checksums(self, path: str, file: str, module: Any) -> Optional[List[int]]:
        if os.path.getmtime(file) >= self._started:
            return None  # the run itself, or what it started, has written it
        text = module.source_code  # raises if testmon cannot read it, as a binary file
        if path.endswith(".py"):
            return module.method_checksums or ([number_of(module.fs_fsha)] if not has_statement(text) else None)
        return [number_of(module.fs_fsha)]

    # --- What cannot be recorded ---

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._elsewhere and self._config.option.verbose > 0:
            named = [os.path.relpath(path, self._config.rootpath) for path in sorted(self._elsewhere)]
            more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
            terminalreporter.write_line(
                "testmon-precreate: outside of the rootdir, so that an edit runs no test: "
                + ", ".join(named[:MOST_NAMED])
                + more
            )


def number_of(fsha: str) -> int:
    """As a checksum of testmon's: 32 bits with a sign."""
    return int(fsha[:8], 16) - (1 << 31)


def has_statement(text: str) -> bool:
    """Whether a Python file has a line that is neither blank nor a comment."""
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())
