"""What the plugin does in a worker: it waits for the controller's state and hands it to testmon."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional

import pytest

from testmon_precreate.commands import call_for_state
from testmon_precreate.messages import debug_log, show
from testmon_precreate.private_datafile import PrivateDatafile
from testmon_precreate.testmon_internals import PackagesReplacement

# What the controller gives a worker in its workerinput: rootdir, run_uid, coordination_directory, and private_datafile
# if the run has a copy of the data file. A worker opens that one whether it sees the state or not.
HANDED_OVER = "testmon_precreate"
# Why a worker could not use it, in its workeroutput.
FAILURE = "testmon_precreate_failure"
# The state is there before the first worker starts: what a worker does not see now will not come.
AWAIT_SECONDS = 5.0


class Worker:
    def __init__(self, config: pytest.Config, handed_over: Dict[str, str]) -> None:
        self._config = config
        self._handed_over = handed_over
        self._failure = ""
        self._datafile = PrivateDatafile()
        self._replacement = PackagesReplacement(self._system_packages)

    def _system_packages(self, ignore: List[str], stock: Callable[..., str]) -> Optional[str]:
        if self._handed_over["private_datafile"]:
            self._datafile.use(self._handed_over["private_datafile"])
        try:
            state = self._await()
        except Exception as error:  # our failures must not break the run
            # The controller warns, once for all workers.
            self._failure = str(error)
            self._config.workeroutput[FAILURE] = self._failure  # type: ignore[attr-defined]
            return None
        return str(state["system_packages_full"])

    def _await(self) -> Dict[str, Any]:
        worker_input = self._config.workerinput  # type: ignore[attr-defined]
        arguments = ["--json", "--rootdir", str(self._config.rootpath)]
        arguments += ["--worker", str(worker_input["workerid"]), "--run-uid", self._handed_over["run_uid"]]
        seconds = float(os.environ.get("TESTMON_XDIST_WORKER_TIMEOUT") or AWAIT_SECONDS)
        return call_for_state(
            "testmon-await",
            [*arguments, "--timeout", str(seconds)],
            timeout=seconds + 10,
            log=debug_log(self._config),
            coordination_directory=self._handed_over["coordination_directory"],
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._datafile.restore()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._failure = ""  # xdist sends it with the worker's output

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self) -> None:
        self._tell_failure()

    def pytest_unconfigure(self) -> None:
        self._replacement.undo()
        self._datafile.restore()
        self._tell_failure()

    def _tell_failure(self) -> None:
        """This worker dies, perhaps of it, before it can send anything."""
        if self._failure:
            worker_id = self._config.workerinput["workerid"]  # type: ignore[attr-defined]
            show(self._config, f"testmon-precreate: {worker_id}: {self._failure}\n")
            self._failure = ""
