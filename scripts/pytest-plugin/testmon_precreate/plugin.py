"""Makes pytest-testmon and pytest-xdist work together. PYTEST_DONT_REWRITE

Inert unless TESTMON_XDIST_CONTROLLER_PRECREATION is true and testmon is active in this run: this module is imported in
every pytest process of an environment, so it imports nothing that pytest has not loaded already.

The plugin's name is `testmon-precreate`, however it was loaded: as an installed entry point, by
PYTEST_PLUGINS=testmon_precreate.plugin, by -p testmon_precreate.plugin, or by several of these.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

NAME = "testmon-precreate"
SWITCH = "TESTMON_XDIST_CONTROLLER_PRECREATION"
SHARD = "TESTMON_XDIST_SHARD"
# Each names a file to which what a run did is to be reported (run_report.py).
REPORTED_TO = ("GITHUB_STEP_SUMMARY", "TESTMON_XDIST_SUMMARY", "TESTMON_XDIST_AUDIT")


def _switch() -> str:
    """What the variable says, in lower case; nothing if it says no."""
    switch = os.environ.get(SWITCH, "").strip().lower()
    return "" if switch in ("0", "false", "no", "off") else switch


class Hooks:
    """What pytest knows by the name `testmon-precreate`."""

    def __init__(self) -> None:
        self._inputs: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        """Conftest files are inputs of tests: they are watched, too."""
        if not _switch() or "testmon.pytest_testmon" not in sys.modules:
            return
        from testmon_precreate import inputs, testmon_internals

        option = early_config.known_args_namespace
        if testmon_internals.is_testmon_run(option):
            try:
                self._inputs = inputs.start(early_config, option)
            except Exception as error:  # our failures must not break the run
                from testmon_precreate.messages import warn

                if "PYTEST_XDIST_WORKER" not in os.environ:  # the controller says the same
                    warn(early_config, str(error))

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        switch = _switch()
        if not switch or "testmon.pytest_testmon" not in sys.modules:
            return
        from testmon_precreate import testmon_internals

        if not testmon_internals.is_testmon_run(config.option):
            return
        if not hasattr(config, "workerinput"):
            from testmon_precreate.distant_workers import refuse_distant_workers

            refuse_distant_workers(config)
        try:
            _start(config, switch, self._inputs)
        except Exception as error:  # our failures must not break the run
            from testmon_precreate.messages import warn

            warn(config, repr(error))


def _start(config: pytest.Config, switch: str, inputs: Any) -> None:
    """Called in the controller and in every worker, before testmon configures itself."""
    from testmon_precreate import coverage_core, testmon_internals
    from testmon_precreate.worker import HANDED_OVER, Worker

    testmon_internals.add_missing_options(config.option)
    testmon_internals.survive_unreadable_files()
    coverage_core.use_core_with_contexts()
    plugins = config.pluginmanager
    if inputs is not None:
        plugins.register(inputs, "testmon-precreate-inputs")
    report = None
    if any(os.environ.get(name) for name in REPORTED_TO):
        from testmon_precreate.run_report import start_report

        report = start_report(config)
    if hasattr(config, "workerinput"):
        if "testmon_precreate_shard" in config.workerinput:
            from testmon_precreate.shard import restrict_worker

            restrict_worker(config)
        handed_over = config.workerinput.get(HANDED_OVER)
        # Without it the controller could not prepare, or this worker has a project of its own.
        if handed_over and handed_over["rootdir"] == str(config.rootpath):
            plugins.register(Worker(config, handed_over), "testmon-precreate-worker")
        return
    if testmon_internals.is_distributed(config):
        from testmon_precreate.collection_gate import CollectionGate

        plugins.register(CollectionGate(), "testmon-precreate-collection-gate")
    from testmon_precreate.controller import Controller
    from testmon_precreate.file_hashes import FileHashes
    from testmon_precreate.input_records import InputRecords

    controller = Controller(config, switch, report)
    if os.environ.get(SHARD):
        from testmon_precreate.shard import Sharding

        plugins.register(Sharding(config, controller), "testmon-precreate-sharding")
    plugins.register(controller, "testmon-precreate-controller")
    plugins.register(FileHashes(), "testmon-precreate-file-hashes")
    plugins.register(InputRecords(config, inputs), "testmon-precreate-input-records")


hooks = Hooks()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Called if this module itself is the plugin: an installed entry point may have come first."""
    if not pluginmanager.has_plugin(NAME):
        pluginmanager.register(hooks, NAME)
