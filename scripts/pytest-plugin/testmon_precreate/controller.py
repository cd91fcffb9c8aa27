"""What the plugin does in the controller, and in a run without workers: it has the data file made ready.

`testmon-precreate prepare` does it, from the facts of the live process, at the moment when testmon asks for the
environment's packages. Controller and workers hand testmon the same text, so no process can differ, and only one of
them scans the environment. If anything fails, testmon goes on by itself.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest

from testmon_precreate import right_size
from testmon_precreate import testmon_internals as internals
from testmon_precreate.cleanup import Cleanup
from testmon_precreate.commands import CommandFailed, call_for_state
from testmon_precreate.coverage_core import CONTEXTS_ENTRY, would_be_sysmon
from testmon_precreate.fallback import copy_before_loss
from testmon_precreate.messages import debug_log, warn
from testmon_precreate.private_datafile import PrivateDatafile
from testmon_precreate.run_report import RunReport
from testmon_precreate.worker import FAILURE, HANDED_OVER

# What `testmon-precreate run` tells the plugin, as JSON.
OPTIONS = "TESTMON_XDIST_PREPARE_OPTIONS"
# testmon itself waits 60 seconds for a locked data file.
PREPARE_SECONDS = 75.0


class PrepareOptions:
    """The options of `run`: words for `prepare`, and what the plugin itself needs to know."""

    def __init__(self) -> None:
        given: Dict[str, Any] = json.loads(os.environ.get(OPTIONS) or "{}")
        self.words: List[str] = given.get("words", [])
        self.run_uid: str = given.get("run_uid", "")
        self.wait_for_run: float = given.get("wait_for_run", 0.0)
        self.is_strict: bool = given.get("strict", False)


class Controller:
    def __init__(self, config: pytest.Config, switch: str, report: Optional[RunReport] = None) -> None:
        self._config = config
        self._switch = switch
        self._report = report
        self._state: Optional[Dict[str, Any]] = None
        self._milliseconds = 0.0
        self._workers = ""  # how many there are, and why
        self._start_up = right_size.StartUp()
        self._warning = ""
        self._cleanup: Optional[Cleanup] = None
        self._options = PrepareOptions()
        self._datafile = PrivateDatafile()
        self._replacement = internals.PackagesReplacement(self._system_packages)

    @property
    def state(self) -> Optional[Dict[str, Any]]:
        """What `prepare` has printed; nothing before that, or if it has failed."""
        return self._state

    # --- Preparation ---

    def _system_packages(self, ignore: List[str], stock: Callable[..., str]) -> Optional[str]:
        started = time.perf_counter()
        try:
            self._state = self._prepare(ignore)
        except Exception as error:  # our failures must not break the run
            self.give_up(error)
            return self._packages_of_stock(ignore, stock)
        self._cleanup = Cleanup(
            self._state, self._datafile, self._start_up, debug_log(self._config), self._report
        )
        if self._state["private_copy"]:
            self._datafile.use(self._state["database_path"])
        if internals.adaptable_distribution(self._config):
            self._workers = right_size.apply(self._config, self._state)
            self._config.pluginmanager.register(self._start_up, "testmon-precreate-start-up")
        self._milliseconds = (time.perf_counter() - started) * 1e3
        return str(self._state["system_packages_full"])

    def _prepare(self, ignore: List[str]) -> Dict[str, Any]:
        if self._switch not in ("1", "true", "yes", "on"):
            raise CommandFailed(f"TESTMON_XDIST_CONTROLLER_PRECREATION is {self._switch!r}, neither true nor false")
        config = self._config
        uid = getattr(config.option, "testrunuid", None) or self._options.run_uid or uuid.uuid4().hex
        config.option.testrunuid = uid  # xdist gives it to the workers
        arguments = ["prepare", "--json", "--process-facts", "-", "--rootdir", str(config.rootpath)]
        if config.inipath is not None:
            arguments += ["--config-file", str(config.inipath)]
        arguments += ["--controller-pid", str(os.getpid()), "--run-uid", uid]
        arguments += ["--workers", str(internals.worker_count(config))]
        arguments += right_size.options_for_prepare(config)
        # With --testmon-nocollect the data file must stay as it is.
        arguments += ["--private-copy", "always" if internals.is_nocollect(config.option) else "needed"]
        return call_for_state(
            "testmon-precreate",
            [*arguments, *self._options.words, "--", *map(str, config.invocation_params.args)],
            text=json.dumps(process_facts(config, ignore)),
            timeout=PREPARE_SECONDS + self._options.wait_for_run,
            directory=str(config.invocation_params.dir),
            log=debug_log(config),
            warn=lambda text: warn(config, text, ""),
        )

    def _packages_of_stock(self, ignore: List[str], stock: Callable[..., str]) -> str:
        """The text that testmon finds itself, and a copy of the data file if it will lose data for it."""
        text = str(stock(ignore=ignore))
        try:
            copy = copy_before_loss(
                Path(self._config.rootpath, internals.datafile_name()),
                internals.data_version(),
                internals.environment_name(self._config),
                internals.stored_packages(text),
            )
        except Exception as error:
            warn(self._config, f"the data file could not be copied before testmon throws data away: {error}", "")
        else:
            if copy is not None:
                warn(self._config, f"testmon will throw data away; what was there is kept in {copy}", "")
        return text

    def give_up(self, error: Exception, *consequence: str) -> None:
        """Warns that the run goes on without what has failed; ends a strict one."""
        if self._options.is_strict:
            pytest.exit(f"testmon-precreate: {error}", returncode=getattr(error, "exit_code", 1))
        message = warn(self._config, str(error) or repr(error), *consequence)
        self._warning = self._warning or message

    # --- Workers ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._datafile.restore()

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self._state is None:
            return
        node.workerinput[HANDED_OVER] = {
            "rootdir": str(self._config.rootpath),
            "run_uid": self._config.option.testrunuid,
            "coordination_directory": self._state["coordination_directory"],
            "private_datafile": self._state["database_path"] if self._state["private_copy"] else "",
        }
        internals.hand_over_execution(self._config, node.workerinput)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        failure = getattr(node, "workeroutput", {}).get(FAILURE)
        if failure and not self._warning:
            self._warning = warn(self._config, failure)

    # --- Output ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_header(self, config: pytest.Config) -> Optional[str]:
        state = self._state
        if state is None:
            return None
        if state["environment_action"] == "created":
            internals.tell_what_was_new(config, state["file_created"], state["packages_changed"])
        converted_from = state["precreated_entries"]["upgraded_from"]
        if converted_from is not None and not state["private_copy"]:
            return f"testmon-precreate: data file converted from data version {converted_from}, after a backup"
        if config.option.verbose <= 0:
            return None
        environment = (
            f"testmon-precreate: environment {state['environment_name']} "
            f"{state['environment_action']} in {self._milliseconds:.1f} ms"
            + (", in a private copy of the data file" if state["private_copy"] else "")
        )
        return f"{environment}\n{self._workers}" if self._workers else environment

    # --- The end ---

    def pytest_terminal_summary(self) -> None:
        self._warning = ""  # pytest shows it

    def pytest_unconfigure(self) -> None:
        self._replacement.undo()
        self._datafile.restore()
        if self._cleanup is not None:
            self._cleanup.end()
        if self._warning:  # pytest has died before its summary, perhaps of what we warn of
            sys.stderr.write(self._warning + "\n")


def process_facts(config: pytest.Config, ignore: List[str]) -> Dict[str, Any]:
    """What the command cannot know from outside this process."""
    return {
        "sys_path": [str(entry) for entry in sys.path],
        "working_directory": os.getcwd(),
        "python_version": "{}.{}.{}".format(*sys.version_info[:3]),
        "testmon_version": internals.testmon_version(),
        "pytest_version": pytest.__version__,
        "environment_name": internals.environment_name(config),
        "ignore_dependencies": ignore,
        "other_distributions": other_distributions() + ([CONTEXTS_ENTRY] if would_be_sysmon() else []),
    }


def other_distributions() -> List[List[Optional[str]]]:
    """Name and version of what no directory of sys.path shows: what its archives hold, what import hooks report."""
    files = [str(entry) for entry in sys.path if os.path.isfile(str(entry))]
    finders = [one for one in sys.meta_path if one is not PathFinder and hasattr(one, "find_distributions")]
    if not files and not finders:
        return []
    from importlib.metadata import DistributionFinder

    found = list(PathFinder.find_distributions(DistributionFinder.Context(path=files)))
    for finder in finders:
        found += finder.find_distributions(DistributionFinder.Context())
    return [[distribution.metadata["Name"], distribution.version] for distribution in found]
