"""What the plugin does in a distributed testmon run.

testmon asks `get_system_packages` for the environment's packages once, right before it opens its data
file. That one function of testmon's plugin module is replaced until it is called: in the controller it
has `testmon-precreate prepare` make the data file ready, from the facts of the live process at just that
moment; in a worker it waits with `testmon-await`. Both hand testmon the same text, so no process can
differ, and only one of them scans the environment. Whatever fails leaves testmon to itself.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from importlib.machinery import PathFinder
from typing import Any, Callable, Dict, List, Optional

import pytest

from testmon_precreate.commands import CommandFailed, call, call_for_state
from testmon_precreate.file_hashes import FileHashes

# What `testmon-precreate run` tells the plugin: options for `prepare`, one word a line.
OPTIONS = "TESTMON_XDIST_PREPARE_OPTIONS"
HANDED_OVER = "testmon_precreate"
FAILURE = "testmon_precreate_failure"
# testmon itself waits 60 seconds for a locked data file.
PREPARE_SECONDS = 75.0
# The state is there before the first worker starts: what a worker does not see now will not come.
AWAIT_SECONDS = 5.0
CLEANUP_SECONDS = 30.0


class TestmonPrecreateWarning(pytest.PytestWarning):
    """Mostly: the run goes on as it would without the plugin."""

    __test__ = False


class Replacement:
    """Stands in for testmon's get_system_packages until it is called once."""

    def __init__(self, answer: Callable[[List[str]], Optional[str]]) -> None:
        self._module = sys.modules["testmon.pytest_testmon"]
        self._original = self._module.get_system_packages  # type: ignore[attr-defined]
        self._answer = answer
        self._module.get_system_packages = self  # type: ignore[attr-defined]

    def __call__(self, ignore: Any = None) -> str:
        self.undo()
        text = self._answer(list(ignore or []))
        return str(self._original(ignore=ignore)) if text is None else text

    def undo(self) -> None:
        if self._module.get_system_packages is self:  # type: ignore[attr-defined]
            self._module.get_system_packages = self._original  # type: ignore[attr-defined]


def start(config: pytest.Config, switch: str) -> None:
    """Called in the controller and in every worker, before testmon configures itself."""
    if hasattr(config, "workerinput"):
        handed_over = config.workerinput.get(HANDED_OVER)
        # Without it the controller could not prepare, or this worker has a project of its own.
        if handed_over and handed_over["rootdir"] == str(config.rootpath):
            config.pluginmanager.register(Worker(config, handed_over["run_uid"]), "testmon-precreate-worker")
    else:
        config.pluginmanager.register(Controller(config, switch), "testmon-precreate-controller")
        config.pluginmanager.register(FileHashes(), "testmon-precreate-file-hashes")


def debug_log(config: pytest.Config) -> Optional[Callable[[str], None]]:
    """Shows the commands' debug log, past pytest's capturing; nothing where nobody has asked for it."""
    if os.environ.get("TESTMON_XDIST_DEBUG", "").strip().lower() not in ("1", "true", "yes", "on"):
        return None

    def show(text: str) -> None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            sys.stderr.write(text)
            sys.stderr.flush()

    return show


def warn(config: pytest.Config, text: str, consequence: str = " – the run goes on without it") -> str:
    """Returns what pytest shows in its summary; nothing where it is shown already."""
    message = f"testmon-precreate: {text}{consequence}"
    try:
        config.issue_config_time_warning(TestmonPrecreateWarning(message), stacklevel=2)
        return message
    except Warning:  # -W error: a warning of ours must not end the run either
        sys.stderr.write(message + "\n")
        return ""


class Worker:
    def __init__(self, config: pytest.Config, run_uid: str) -> None:
        self._config = config
        self._run_uid = run_uid
        self._replacement = Replacement(self._system_packages)

    def _system_packages(self, ignore: List[str]) -> Optional[str]:
        worker_input = self._config.workerinput  # type: ignore[attr-defined]
        arguments = ["--json", "--rootdir", str(self._config.rootpath)]
        arguments += ["--worker", str(worker_input["workerid"]), "--run-uid", self._run_uid]
        seconds = AWAIT_SECONDS
        try:
            seconds = float(os.environ.get("TESTMON_XDIST_WORKER_TIMEOUT") or AWAIT_SECONDS)
            state = call_for_state(
                "testmon-await",
                [*arguments, "--timeout", str(seconds)],
                timeout=seconds + 10,
                log=debug_log(self._config),
            )
        except Exception as error:  # nothing of ours may end a run that works without us
            # The controller warns, once for all workers.
            self._config.workeroutput[FAILURE] = str(error)  # type: ignore[attr-defined]
            return None
        return str(state["system_packages_full"])

    def pytest_unconfigure(self) -> None:
        self._replacement.undo()


class Controller:
    def __init__(self, config: pytest.Config, switch: str) -> None:
        self._config = config
        self._switch = switch
        self._state: Optional[Dict[str, Any]] = None
        self._milliseconds = 0.0
        self._is_new_file = False
        self._warning = ""
        self._previous_handlers: Dict[int, Any] = {}
        self._options = os.environ.get(OPTIONS, "").split("\n") if os.environ.get(OPTIONS) else []
        self._run_uid = self._take_option("--run-uid")
        self._seconds = PREPARE_SECONDS + float(self._option("--wait-for-run") or 0)
        self._pid = os.getpid()
        self._is_strict = "--strict" in self._options
        if self._is_strict:
            self._options.remove("--strict")
        self._replacement = Replacement(self._system_packages)

    def _option(self, name: str) -> str:
        return self._options[self._options.index(name) + 1] if name in self._options else ""

    def _take_option(self, name: str) -> str:
        value = self._option(name)
        if name in self._options:
            index = self._options.index(name)
            del self._options[index : index + 2]
        return value

    # --- Preparation ---

    def _system_packages(self, ignore: List[str]) -> Optional[str]:
        started = time.perf_counter()
        try:
            self._state = self._prepare(ignore)
        except Exception as error:  # nothing of ours may end a run that works without us
            if self._is_strict:
                pytest.exit(f"testmon-precreate: {error}", returncode=getattr(error, "exit_code", 1))
            self._warn(str(error) or repr(error))
            return None
        self._clean_up_on_every_way_out()
        self._milliseconds = (time.perf_counter() - started) * 1e3
        return str(self._state["system_packages_full"])

    def _prepare(self, ignore: List[str]) -> Dict[str, Any]:
        if self._switch not in ("1", "true", "yes", "on"):
            raise CommandFailed(f"TESTMON_XDIST_CONTROLLER_PRECREATION is {self._switch!r}, neither true nor false")
        config = self._config
        uid = config.option.testrunuid or self._run_uid or uuid.uuid4().hex
        config.option.testrunuid = uid  # xdist gives it to the workers
        arguments = ["prepare", "--json", "--process-facts", "-", "--rootdir", str(config.rootpath)]
        if config.inipath is not None:
            arguments += ["--config-file", str(config.inipath)]
        arguments += ["--controller-pid", str(os.getpid()), "--run-uid", uid]
        arguments += ["--workers", str(worker_count(config.option.tx)), *self._options]
        datafile = os.path.join(str(config.rootpath), os.environ.get("TESTMON_DATAFILE", ".testmondata"))
        self._is_new_file = not os.path.exists(datafile)
        return call_for_state(
            "testmon-precreate",
            [*arguments, "--", *map(str, config.invocation_params.args)],
            text=json.dumps(process_facts(config, ignore)),
            timeout=self._seconds,
            directory=str(config.invocation_params.dir),
            log=debug_log(config),
            warn=lambda text: warn(config, text, ""),
        )

    def _warn(self, text: str) -> None:
        if not self._warning:
            self._warning = warn(self._config, text)

    # --- Workers ---

    @pytest.hookimpl(optionalhook=True, trylast=True)
    def pytest_configure_node(self, node: Any) -> None:
        spec = node.gateway.spec
        is_local = spec.popen and not spec.chdir and not getattr(spec, "via", None)
        if self._state is None or not is_local:
            return
        node.workerinput[HANDED_OVER] = {
            "rootdir": str(self._config.rootpath),
            "run_uid": self._config.option.testrunuid,
        }
        data = getattr(self._config, "testmon_data", None)
        if hasattr(data, "for_worker") and "testmon_exec_id" not in node.workerinput:
            # testmon 2.2 forgets them under --testmon-nocollect, and its workers then write.
            node.workerinput["testmon_exec_id"] = data.exec_id
            node.workerinput["testmon_system_packages_change"] = data.system_packages_change
            node.workerinput["testmon_files_of_interest"] = data.files_of_interest

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        failure = getattr(node, "workeroutput", {}).get(FAILURE)
        if failure:
            self._warn(failure)

    # --- Output ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_header(self, config: pytest.Config) -> Optional[str]:
        if self._state is None:
            return None
        self._tell_testmon_what_was_new(self._state)
        converted_from = self._state["precreated_entries"]["upgraded_from"]
        if converted_from is not None:
            return f"testmon-precreate: data file converted from data version {converted_from}, after a backup"
        if config.option.verbose <= 0:
            return None
        return (
            f"testmon-precreate: environment {self._state['environment_name']} "
            f"{self._state['environment_action']} in {self._milliseconds:.1f} ms"
        )

    def _tell_testmon_what_was_new(self, state: Dict[str, Any]) -> None:
        """testmon's own header would take the file and the row that we made for its old ones."""
        data = getattr(self._config, "testmon_data", None)
        database = getattr(data, "db", None)
        if data is None or state["environment_action"] != "created":
            return
        if self._is_new_file:
            if hasattr(database, "file_created"):
                database.file_created = True
        elif state["packages_changed"]:
            data.system_packages_change = True

    # --- The end ---

    def _clean_up_on_every_way_out(self) -> None:
        atexit.register(self._clean_up)
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                if signal.getsignal(number) == signal.SIG_DFL:
                    self._previous_handlers[number] = signal.signal(number, self._end_by_signal)
            except ValueError:  # pytest does not run in the main thread
                return

    def _end_by_signal(self, number: int, frame: Any) -> None:
        self._clean_up()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _clean_up(self) -> None:
        if os.getpid() != self._pid:  # a test has forked: the run goes on
            return
        atexit.unregister(self._clean_up)
        state, self._state = self._state, None
        if state is None:
            return
        try:
            arguments = ["cleanup", "--quiet", "--rootdir", state["rootdir"], "--run-uid", state["run_uid"]]
            call("testmon-precreate", arguments, timeout=CLEANUP_SECONDS, log=debug_log(self._config))
        except CommandFailed as error:
            sys.stderr.write(f"testmon-precreate: {error}\n")

    def pytest_terminal_summary(self) -> None:
        self._warning = ""  # pytest shows it

    def pytest_unconfigure(self) -> None:
        self._replacement.undo()
        self._clean_up()
        if self._warning:  # pytest has died before its summary, perhaps of what we warn of
            sys.stderr.write(self._warning + "\n")
        for number, handler in self._previous_handlers.items():
            if signal.getsignal(number) == self._end_by_signal:
                signal.signal(number, handler)


def worker_count(tx: List[str]) -> int:
    """The number of workers that the options --tx and -n make: `2*popen` stands for two."""
    count = 0
    for spec in tx:
        head, star, _ = spec.partition("*")
        count += int(head) if star and head.isdigit() else 1
    return count


def process_facts(config: pytest.Config, ignore: List[str]) -> Dict[str, Any]:
    """What the command cannot know from outside this process."""
    import testmon
    from testmon.testmon_core import eval_environment

    name = config.getoption("environment_expression") or eval_environment(config.getini("environment_expression"))
    return {
        "sys_path": [str(entry) for entry in sys.path],
        "working_directory": os.getcwd(),
        "python_version": "{}.{}.{}".format(*sys.version_info[:3]),
        "testmon_version": getattr(testmon, "TESTMON_VERSION", None) or testmon.VERSION,
        "environment_name": name or "default",
        "ignore_dependencies": ignore,
        "other_distributions": other_distributions(),
    }


def other_distributions() -> List[List[Optional[str]]]:
    """Name and version of what import hooks of this process report beside the directories of sys.path."""
    finders = [one for one in sys.meta_path if one is not PathFinder and hasattr(one, "find_distributions")]
    if not finders:
        return []
    from importlib.metadata import DistributionFinder

    context = DistributionFinder.Context()
    found = [distribution for finder in finders for distribution in finder.find_distributions(context)]
    return [[distribution.metadata["Name"], distribution.version] for distribution in found]
