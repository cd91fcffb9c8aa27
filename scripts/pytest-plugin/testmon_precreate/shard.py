"""Restricts a run to one machine's part of what testmon selects (TESTMON_XDIST_SHARD).

`testmon-precreate affected --plan` decides which shard runs what, from the tests that testmon has found and the durations
in the data file. Every machine that starts from the same files gets the same plan. What the plan does not know goes by a
checksum of its file's path, so that each test belongs to exactly one shard.

A shard's data file must not lose what it knows of the others' tests: testmon deletes the rows of tests that it would have
run and did not collect. Those of the other shards stay as they are, so they count as affected until `merge` has brought
in the rows of the shard that ran them.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from testmon_precreate import testmon_internals as internals
from testmon_precreate.commands import CommandFailed, call
from testmon_precreate.controller import Controller
from testmon_precreate.messages import debug_log

VARIABLE = "TESTMON_XDIST_SHARD"
# The plan, in a worker's workerinput.
HANDED_OVER = "testmon_precreate_shard"
RESTRICTION = "testmon-precreate-restriction"
PLAN_SECONDS = 75.0


class Part:
    """Which tests belong to this shard. `plan` is what the command has printed."""

    def __init__(self, plan: Dict[str, Any]) -> None:
        self._index: int = plan["index"]
        self._count: int = plan["count"]
        self.by_group: bool = plan["together"] == "groups"
        self._owners = {name: shard for shard, names in enumerate(plan["owners"]) for name in names}
        self._own_files = {_file_of(name) for name in plan["owners"][self._index]}

    def has(self, test: str) -> bool:
        if test in self._owners:
            return self._owners[test] == self._index
        return self._has_unit(self._group_of(test) or _file_of(test))

    def has_of_file(self, path: str) -> bool:
        """Whether it may have a test of the file."""
        return self.by_group or path in self._own_files or self._has_unit(path)

    def _has_unit(self, unit: str) -> bool:
        owner = self._owners.get(unit)
        if owner is None:
            owner = zlib.crc32(os.fsencode(unit)) % self._count
        return owner == self._index

    def _group_of(self, test: str) -> str:
        """As xdist's --dist loadgroup shows it."""
        at = test.rfind("@")
        return test[at:] if self.by_group and at > test.rfind("]") else ""


def _file_of(test: str) -> str:
    return test.split("::", 1)[0]


class Restriction:
    """Leaves the other shards' tests out; registered in each process that collects."""

    def __init__(self, part: Part) -> None:
        self._part = part

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> Optional[bool]:
        """Keeps a process from the others' files; a file that the command line names is collected all the same."""
        # pytest 7 leaves out a package whose __init__.py is ignored.
        if collection_path.name == "__init__.py" or not collection_path.is_file():
            return None
        path = os.path.relpath(str(collection_path), str(config.rootpath)).replace(os.sep, "/")
        return None if self._part.has_of_file(path) else True

    # xdist has put the groups into the names by then.
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: List[pytest.Item]) -> None:
        others = [item for item in items if not self._part.has(item.nodeid)]
        if others:
            items[:] = [item for item in items if self._part.has(item.nodeid)]
            config.hook.pytest_deselected(items=others)


def keep_others(data: Any, plan: Dict[str, Any]) -> None:
    """Has testmon bring its data file up to date with this shard's tests alone, and tells `merge` what is gone."""
    part = Part(plan)
    stock = data.sync_db_fs_tests

    def sync_db_fs_tests(retain: Any) -> None:
        recorded = set(data.all_tests)
        own = {name for name in retain if part.has(name)}
        stock(retain=own.union(name for name in recorded if not part.has(name)))
        internals.write_shard_mark(data, plan["id"], recorded.difference(data.all_tests))

    data.sync_db_fs_tests = sync_db_fs_tests
    internals.count_only(data, part.has)  # `merge` adds up what the shards have counted


class Sharding:
    """The controller's side, and that of a run without workers. Without a plan the machine runs everything."""

    def __init__(self, config: pytest.Config, controller: Controller) -> None:
        self._config = config
        self._controller = controller
        self._plan: Optional[Dict[str, Any]] = None
        self._variable: Optional[str] = None

    def pytest_plugin_registered(self, plugin: Any, manager: pytest.PytestPluginManager) -> None:
        """Called when testmon knows what it selects, before xdist makes workers."""
        if manager.get_name(plugin) != internals.SELECTING_PLUGIN or self._plan is not None:
            return
        try:
            self._plan = self._ask_for_plan()
        except Exception as error:  # our failures must not break the run
            self._controller.give_up(error, " – this machine runs the tests of all shards")
        # A pytest that a test starts has a suite of its own.
        self._variable = os.environ.pop(VARIABLE, None)
        if self._plan is not None:
            self._follow(self._plan)

    def pytest_unconfigure(self) -> None:
        if self._variable is not None:
            os.environ[VARIABLE] = self._variable

    def _ask_for_plan(self) -> Optional[Dict[str, Any]]:
        state, data = self._controller.state, internals.testmon_data(self._config)
        if state is None:
            raise CommandFailed("the run could not be prepared, and so could not be sharded")
        arguments = ["affected", "--plan", "--tests-from", "-", "--rootdir", state["rootdir"]]
        if self._config.inipath is not None:
            arguments += ["--config-file", str(self._config.inipath)]
        arguments += ["--datafile", state["database_path"], "--testmon-env", state["environment_name"]]
        plan = json.loads(
            call(
                "testmon-precreate",
                [*arguments, "--", *map(str, self._config.invocation_params.args)],
                text="\n".join(internals.tests_to_run(self._config)),
                timeout=PLAN_SECONDS,
                directory=str(self._config.invocation_params.dir),
                log=debug_log(self._config),
            )
        )
        if plan is not None:
            keep_others(data, plan)
        return dict(plan) if plan is not None else None

    def _follow(self, plan: Dict[str, Any]) -> None:
        self._config.pluginmanager.register(Restriction(Part(plan)), RESTRICTION)
        if plan["nothing_to_run"]:
            internals.set_worker_count(self._config, 0)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self._plan is not None:
            node.workerinput[HANDED_OVER] = self._plan

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._plan is not None and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_report_header(self) -> Optional[str]:
        plan = self._plan
        if plan is None:
            return None
        head = f"testmon-precreate: shard {plan['shard']}"
        if plan["nothing_to_run"]:
            return f"{head}: nothing to run"
        seconds = plan["seconds"]
        return f"{head}: about {seconds[plan['index']]:.1f} s of {sum(seconds):.1f} s" if seconds else head


def restrict_worker(config: pytest.Config) -> None:
    plan = config.workerinput.get(HANDED_OVER)  # type: ignore[attr-defined]
    if plan:
        config.pluginmanager.register(Restriction(Part(plan)), RESTRICTION)
