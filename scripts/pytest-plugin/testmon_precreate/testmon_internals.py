"""Every name of testmon, pytest and xdist that the plugin relies on without their documentation saying so.

tests/end_to_end/test_internals.py looks for all of them in the newest releases, `scripts/check-releases` as well; those
of coverage are in coverage_core.py.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Collection, Dict, Iterable, Iterator, List, Optional, Tuple

# The oldest and the newest releases in which all of them were seen.
SEEN_IN = {
    "pytest-testmon": ("2.1.0", "2.2.0"),
    "pytest": ("7.0", "9.2"),
    "pytest-xdist": ("3.0", "3.8"),
    "coverage": ("7.6", "7.17"),
}
# What the plugin's other modules use of testmon's objects: of config.testmon_data, its source tree and a file in it.
USED_OF_DATA = (
    "all_tests", "db", "exec_id", "failing_tests", "get_tests_fingerprints", "rootdir", "source_tree", "sync_db_fs_tests",
    "unstable_test_names",
)  # fmt: skip
USED_OF_SOURCE_TREE = ("cache", "get_file")
USED_OF_FILE = ("_blocks", "blocks", "checksums", "filename", "fs_fsha", "method_checksums", "mtime", "source_code")

SELECTING_PLUGIN = "TestmonSelect"  # is registered when testmon knows what it selects
READING_MODULE = "testmon.process_code"  # opens the recorded files
MODULE = "testmon.pytest_testmon"  # is imported if testmon's plugin is active in this process
ACTIVATING_OPTIONS = ("testmon", "testmon_noselect", "testmon_nocollect", "testmon_forceselect")
# Options of pytest's own plugins that testmon reads, whether these are there or not (testmon.configure).
OPTIONS_OF_PYTEST = {"lf": False, "keyword": "", "markexpr": ""}

# Of xdist's modes of distribution, those in which any worker will do for any test.
ADAPTABLE_MODES = ("load", "loadscope", "loadfile", "loadgroup", "worksteal")
# The plugins that implement pytest_collect_file; testmon cannot follow the doctests of text files.
COLLECTORS_OF_PYTEST = {"python", "doctest"}


def is_testmon_run(option: Any) -> bool:
    """Whether testmon reads or writes its data file in this run; its own network service is not supported."""
    wanted = any(getattr(option, name, False) for name in ACTIVATING_OPTIONS)
    return wanted and not getattr(option, "no-testmon", False) and not getattr(option, "tmnet", False)


def is_nocollect(option: Any) -> bool:
    return bool(getattr(option, "testmon_nocollect", False))


def is_distributed(config: Any) -> bool:
    """Whether xdist starts workers (its pytest_cmdline_main has settled `dist` and `tx`), or this is one."""
    option = config.option
    if hasattr(config, "workerinput"):
        return True
    return getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", None)) and not option.collectonly


def worker_count(config: Any) -> int:
    """How many workers the options --tx and -n make: `2*popen` stands for two."""
    count = 0
    for spec in config.option.tx if is_distributed(config) else ():
        head, star, _ = spec.partition("*")
        count += int(head) if star and head.isdigit() else 1
    return count


def worker_specs(config: Any) -> List[Tuple[str, Any]]:
    """What --tx and -n ask for, as given and as execnet reads it; nothing that execnet would refuse."""
    if not is_distributed(config):
        return []
    import execnet

    specs = []
    for text in config.option.tx:
        head, star, rest = text.partition("*")
        try:
            specs.append((text, execnet.XSpec(rest if star and head.isdigit() else text)))
        except (AttributeError, ValueError, IndexError):
            continue  # xdist says so
    return specs


def adaptable_distribution(config: Any) -> str:
    """The mode of --dist if a number of workers, local ones and all alike, is all that the user asks for."""
    option = config.option
    if not is_distributed(config) or hasattr(config, "workerinput") or getattr(option, "looponfail", False):
        return ""
    is_plain = option.numprocesses and all(spec == "popen" for spec in option.tx) and not getattr(option, "px", None)
    # A scheduler of the user's own may count on certain workers.
    has_own_scheduler = bool(config.pluginmanager.hook.pytest_xdist_make_scheduler.get_hookimpls())
    return str(option.dist) if is_plain and option.dist in ADAPTABLE_MODES and not has_own_scheduler else ""


def set_worker_count(config: Any, count: int) -> None:
    """As xdist's pytest_cmdline_main does for -n; to be called before xdist's pytest_configure."""
    config.option.numprocesses = count
    config.option.tx = ["popen"] * count
    if count == 0:
        config.option.dist = "no"


def selects_tests(config: Any) -> bool:
    """Not with --testmon-noselect, -k, -m, --lf or the names of tests: testmon has settled that when it configures itself."""
    return bool(getattr(getattr(config, "testmon_config", None), "select", False))


def has_coverage_plugin(config: Any) -> bool:
    return bool(config.pluginmanager.hasplugin("_cov"))


def collects_other_files(config: Any) -> bool:
    """Whether tests may come from files that pytest's option python_files does not name."""
    names = {implementation.plugin_name for implementation in config.pluginmanager.hook.pytest_collect_file.get_hookimpls()}
    return bool(getattr(config.option, "doctestmodules", False)) or not names <= COLLECTORS_OF_PYTEST


def add_missing_options(option: Any) -> None:
    """With `-p no:cacheprovider`, say, testmon ends with a KeyError."""
    for name, default in OPTIONS_OF_PYTEST.items():
        if not hasattr(option, name):
            setattr(option, name, default)


def why_nothing_is_deselected(option: Any) -> str:
    """Which option keeps testmon from deselecting, in testmon's words; nothing if it deselects."""
    from testmon.configure import _get_noselect_reasons

    reasons = _get_noselect_reasons(vars(option))
    return (reasons[0] or "--testmon-noselect was used") if reasons else ""


def deselect_nothing(option: Any) -> bool:
    """Called before testmon configures itself. Data are recorded all the same. Returns False if testmon would do nothing
    at all then; empty_deselection does instead."""
    if is_nocollect(option):
        return False
    option.testmon_noselect = True
    option.testmon_forceselect = False
    return True


def datafile_name() -> str:
    """As testmon.testmon_core.get_data_file_path has it; relative to the rootdir."""
    return os.environ.get("TESTMON_DATAFILE", ".testmondata")


def data_version() -> int:
    from testmon import db

    return int(db.DATA_VERSION)


def testmon_version() -> str:
    import testmon

    return str(getattr(testmon, "TESTMON_VERSION", None) or testmon.VERSION)


def environment_name(config: Any) -> str:
    """As testmon.pytest_testmon.init_testmon_data and TestmonData have it."""
    from testmon.testmon_core import eval_environment

    name = config.getoption("environment_expression") or eval_environment(config.getini("environment_expression"))
    return str(name or "default")


def stored_packages(text: str) -> str:
    """What testmon puts into its environment row for the packages `text`."""
    from testmon.common import drop_patch_version

    return str(drop_patch_version(text))


def survive_unreadable_files() -> None:
    """testmon ends with an error if a recorded file is a directory by now, or binary: then it counts as changed."""
    from testmon import process_code

    stock = process_code.read_source_sha

    def read_source_sha(filename: Any) -> Any:
        try:
            return stock(filename)
        except (OSError, SyntaxError, LookupError):
            if str(filename).endswith(".py"):
                raise
            return "", None

    if stock.__module__ == process_code.__name__:
        process_code.read_source_sha = read_source_sha


def module_with_coverage_class() -> Any:
    """testmon makes its coverage object of the class that this module has as `Coverage`."""
    return sys.modules["testmon.testmon_core"]


def testmon_data(config: Any) -> Any:
    return getattr(config, "testmon_data", None)


def tests_to_run(config: Any) -> List[str]:
    """The recorded tests that testmon does not deselect (TestmonSelect), whether pytest will collect them or not."""
    data = config.testmon_data
    if not config.testmon_config.select:
        return sorted(data.all_tests)
    return sorted(data.unstable_test_names.union(data.failing_tests))


def write_shard_mark(data: Any, plan: str, dropped: Iterable[str]) -> None:
    """In testmon's table of free texts; see src/datafile/shard_mark.hpp."""
    rows = [("testmon-precreate:shard", plan)]
    rows += [(f"testmon-precreate:dropped:{data.exec_id}:{name}", "") for name in dropped]
    with data.db.con as connection:
        connection.executemany("INSERT OR REPLACE INTO metadata VALUES (?, ?)", rows)
        connection.execute(
            "INSERT OR REPLACE INTO metadata SELECT 'testmon-precreate:shard:' || dataid, data FROM metadata"
            " WHERE dataid LIKE 'None:%'"
        )


def count_only(data: Any, has: Callable[[str], bool]) -> None:
    """What testmon counts as run and as saved (DB.fetch_current_run_stats) then is of these tests alone."""

    def fetch_current_run_stats(exec_id: int) -> Tuple[float, float, int, int]:
        rows = data.db.con.execute(
            "SELECT test_name, coalesce(duration, 0), forced IS NOT 0 FROM test_execution WHERE environment_id = ?", (exec_id,)
        )
        counted = [(duration, is_saved) for name, duration, is_saved in rows if has(name)]
        saved = [duration for duration, is_saved in counted if is_saved]
        return sum(saved), sum(duration for duration, _ in counted), len(saved), len(counted)

    data.db.fetch_current_run_stats = fetch_current_run_stats


def recording_data(config: Any) -> Any:
    """testmon's data if this run records: its get_tests_fingerprints() makes the records of tests, in the process that
    writes the data file."""
    return testmon_data(config) if config.pluginmanager.has_plugin("TestmonCollect") else None


def checksums_of_lines(module: Any, lines: Any) -> List[int]:
    """Of the blocks of a file (a Module of testmon's) that hold these lines, and of the module's own block."""
    from testmon.process_code import create_fingerprint

    return list(create_fingerprint(module, {min(block.start for block in module.blocks), *lines}))


def checksums_of_blob(blob: bytes) -> List[int]:
    """As the data file has them."""
    from testmon.process_code import blob_to_checksums

    return list(blob_to_checksums(blob))


def known_module_checksums(data: Any, module: Any) -> List[int]:
    """That of the module's block alone, if some test has such a fingerprint: it takes long to find a file's blocks."""
    if module._blocks:
        return []
    row = data.db.con.execute(
        "SELECT method_checksums FROM file_fp WHERE filename = ? AND fsha = ? AND length(method_checksums) = 4",
        (module.filename, module.fs_fsha),
    ).fetchone()
    return checksums_of_blob(row[0]) if row is not None else []


def fixture_definitions(item: Any) -> Iterator[Any]:
    """Of all fixtures that the test uses or may use; those of getfixturevalue() are known once it has run."""
    for definitions in getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).values():
        yield from definitions
    asked_for = getattr(getattr(item, "_request", None), "_fixture_defs", None)
    yield from (asked_for or {}).values()


def deselection(config: Any) -> Tuple[Collection[str], Collection[str]]:
    """The tests that testmon skips, and the files that it does not even collect; would, if it deselects nothing."""
    plugin = config.pluginmanager.get_plugin(SELECTING_PLUGIN)
    return (plugin.deselected_tests, plugin.deselected_files) if plugin is not None else ((), ())


def empty_deselection(config: Any) -> None:
    """Before the collection."""
    plugin = config.pluginmanager.get_plugin(SELECTING_PLUGIN)
    if plugin is not None:
        plugin.deselected_tests, plugin.deselected_files = [], []


def recorded_durations(config: Any) -> Dict[str, float]:
    """Of all tests that the environment has data of, by name."""
    tests = getattr(testmon_data(config), "all_tests", None) or {}
    return {name: report.get("duration") or 0.0 for name, report in tests.items()}


def tell_what_was_new(config: Any, file_created: bool, packages_changed: bool) -> None:
    """testmon's own header would take the file and the row that we made for its old ones."""
    data = testmon_data(config)
    if data is None:
        return
    if file_created:
        if hasattr(getattr(data, "db", None), "file_created"):
            data.db.file_created = True
    elif packages_changed:
        data.system_packages_change = True


def hand_over_execution(config: Any, worker_input: Any) -> None:
    """testmon 2.2 forgets to with --testmon-nocollect, and its workers then write."""
    data = testmon_data(config)
    if hasattr(data, "for_worker") and "testmon_exec_id" not in worker_input:
        worker_input["testmon_exec_id"] = data.exec_id
        worker_input["testmon_system_packages_change"] = data.system_packages_change
        worker_input["testmon_files_of_interest"] = data.files_of_interest


def await_workers(config: Any, count: int) -> None:
    """Tells testmon's TestmonXdistSync, if there is one, how many workers have yet to collect."""
    for plugin in config.pluginmanager.get_plugins():
        if type(plugin).__name__ == "TestmonXdistSync":
            plugin.await_nodes = count


class PackagesReplacement:
    """Stands in for testmon's get_system_packages until it is called once.

    testmon asks for the environment's packages once, right before it opens its data file.
    """

    def __init__(self, answer: Any) -> None:
        modules: Any = sys.modules
        self._module = modules[MODULE]
        self._original = self._module.get_system_packages
        self._answer = answer
        self._module.get_system_packages = self

    def __call__(self, ignore: Optional[List[str]] = None) -> str:
        self.undo()
        text = self._answer(list(ignore or []), self._original)
        return str(self._original(ignore=ignore)) if text is None else str(text)

    def undo(self) -> None:
        if self._module.get_system_packages is self:
            self._module.get_system_packages = self._original
