"""Inputs of tests that testmon does not see: code that runs when it is imported, and data files.

testmon records what a test executes. An imported constant was computed before the first test, and a data file is no
code: an edit of either would run nothing. In the process that runs tests this module notes, for each of them, the
project's modules that its own module and its conftest files import, and the project's files that are read while it
runs; input_records.py, in the process that writes testmon's data file, adds them to what testmon has recorded.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple

import pytest

from testmon_precreate import testmon_internals as internals
from testmon_precreate.file_inputs import FileInputs
from testmon_precreate.import_inputs import ImportInputs
from testmon_precreate.import_time_code import ImportTimeCode
from testmon_precreate.project_files import ProjectFiles

VARIABLE = "TESTMON_XDIST_INPUTS"
# `imports` is all that a test can depend on, and makes a test of a package depend on each module of it: a new function,
# which changes its module, may then run 600 tests instead of 50. So the default is what testmon is blind to
# altogether, in every test: modules that have no function that a test could execute.
DEFAULT = "constants,files"
KINDS = ("constants", "imports", "files")
# A report's attribute with what was noted since the last one that had it.
NOTES = "testmon_precreate_inputs"


def kinds_wanted() -> Set[str]:
    """Raises ValueError for what is neither a list of kinds nor `none`."""
    words = {word.strip() for word in os.environ.get(VARIABLE, DEFAULT).lower().split(",")} - {""}
    if words == {"none"}:
        return set()
    if not words.issubset(KINDS):
        raise ValueError(f"{VARIABLE} is {os.environ[VARIABLE]!r}: say constants or imports, files, both with a comma, or none")
    return words


class Inputs:
    """Watches this process from its making on, and notes the inputs of each test."""

    def __init__(self, rootdir: str, kinds: Set[str], left_out: List[str]) -> None:
        self._kinds = kinds
        self._project = ProjectFiles(rootdir, left_out)
        self._imports = ImportInputs(self._project)
        self._files = FileInputs(self._project)
        self._code = ImportTimeCode(self._project.relative)
        self._tests: Dict[str, Tuple[str, Set[str]]] = {}  # file and what was read
        self._elsewhere: Set[str] = set()
        self.failure = ""
        self._is_on = True
        sys.addaudithook(self._hook())
        # When Python ends, it finalises objects that may still open files, but what the hook needs is gone by then.
        atexit.register(self.stop)
        if "imports" in kinds:
            self._code.start()

    def stop(self) -> None:
        """An audit hook cannot be removed."""
        self._is_on = False
        self._code.stop()

    def _hook(self) -> Callable[[str, Any], None]:
        """A function, which Python calls for an event in a quarter of the time that it takes for a method."""

        def hook(event: str, arguments: Any) -> None:
            if event == "open":
                if self._is_on:
                    try:
                        self._files.opened(arguments[0], arguments[2])
                    except Exception as error:  # it would be an error of what opens the file
                        self._fail(error)
            elif event == "exec":
                if self._is_on and arguments[0].co_name == "<module>":
                    try:
                        self._executed(arguments[0])
                    except Exception as error:
                        self._fail(error)

        return hook

    def _executed(self, code: Any) -> None:
        path = self._project.relative(code.co_filename)
        if path is not None:
            self._imports.executed(path, code)
        elif code.co_filename[:1] == "/":
            self._elsewhere.add(code.co_filename)

    def _fail(self, error: Exception) -> None:
        self.failure = self.failure or repr(error)
        self._is_on = False

    # --- Tests ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        config = session.config
        is_controller = internals.is_distributed(config) and not hasattr(config, "workerinput")
        if is_controller or internals.recording_data(config) is None:
            self.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        self._code.stop()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        before = self._files.begin()
        yield
        self._files.end(before)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        if fixturedef.scope == "function":
            yield
            return
        before = self._files.begin()
        yield
        self._files.keep_for_fixture(fixturedef, self._files.end(before))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        if call.when == "teardown":
            try:
                read = self._files.read_by_test(internals.fixture_definitions(item))
                self._tests[item.nodeid] = (self._project.relative(str(item.path)) or "", read)
            except Exception as error:  # it would be an error of the test
                self._fail(error)
        outcome: Any = yield
        report = outcome.get_result()
        if call.when == "teardown" and getattr(report, "nodes_files_lines", None) and hasattr(item.config, "workerinput"):
            setattr(report, NOTES, self.take())

    # --- Notes ---

    def take(self) -> Dict[str, Any]:
        """What was noted since the last call, in plain lists and dictionaries. A test refers by a number to what all
        tests of its file have. If that fails, the notes say so and are otherwise empty."""
        try:
            return self._take()
        except Exception as error:  # it would end the run
            self._fail(error)
            return {"shared": [], "tests": {}, "lines": {}, "written": [], "elsewhere": [], "failure": self.failure}

    def _take(self) -> Dict[str, Any]:
        numbers: Dict[str, int] = {}
        shared: List[Any] = []
        tests: Dict[str, Any] = {}
        for test, (path, read) in self._tests.items():
            if path not in numbers:
                numbers[path] = len(shared)
                shared.append(self._shared_by(path))
            tests[test] = [numbers[path], self._no_modules(read)]
        self._tests.clear()
        elsewhere = [path for path in self._elsewhere if self._project.is_elsewhere(path)]
        self._elsewhere.clear()
        return {
            "shared": shared,
            "tests": tests,
            "lines": self._code.lines(),
            "written": list(self._files.written),
            "elsewhere": elsewhere,
            "failure": self.failure,
        }

    def _shared_by(self, path: str) -> List[List[str]]:
        """The modules that the tests of a file depend on, and the files that these have read."""
        modules = self._imports.closure([path, *_conftests_of(path)])
        read = set().union(*(self._files.of_modules.get(module, ()) for module in modules))
        if "imports" not in self._kinds:
            modules = {one for one in modules if "constants" in self._kinds and self._imports.without_functions(one)}
        return [sorted(modules), sorted(self._no_modules(read))]

    def _no_modules(self, paths: Iterable[str]) -> List[str]:
        """A module that is read is imported, or its line is shown for a failure."""
        return [path for path in paths if "files" in self._kinds and not self._imports.has(path)]


def _conftests_of(path: str) -> List[str]:
    parts = path.split("/")
    return ["/".join([*parts[:i], "conftest.py"]) for i in range(len(parts))]


def start(config: pytest.Config, option: Any) -> Optional[Inputs]:
    """Begins to watch this process; `option` are the options as known so far."""
    kinds = kinds_wanted()
    if not kinds:
        return None
    left_out = [os.environ.get("TESTMON_XDIST_DIR") or ".testmon_xdist", getattr(option, "basetemp", None) or ""]
    rootdir = str(config.rootpath)
    return Inputs(rootdir, kinds, [os.path.join(rootdir, one) for one in left_out if one])
