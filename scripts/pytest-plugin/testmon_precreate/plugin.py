"""Makes pytest-testmon and pytest-xdist work together. PYTEST_DONT_REWRITE

Inert unless TESTMON_XDIST_CONTROLLER_PRECREATION is true, testmon is active in this run and xdist
distributes it: this module is imported in every pytest process of an environment, so it imports
nothing that pytest has not loaded already.

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


def _is_testmon_run(option: Any) -> bool:
    """Whether testmon reads or writes its data file in this run; its own network service is not ours."""
    wanted = any(
        getattr(option, name, False)
        for name in ("testmon", "testmon_noselect", "testmon_nocollect", "testmon_forceselect")
    )
    return wanted and not getattr(option, "no-testmon", False) and not getattr(option, "tmnet", False)


def _is_distributed(config: pytest.Config) -> bool:
    option = config.option
    if hasattr(config, "workerinput"):
        return True
    return getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", None)) and not option.collectonly


def _will_be_distributed(option: Any) -> bool:
    """The same, before xdist has worked out what -n means."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return True
    return not getattr(option, "collectonly", False) and bool(
        getattr(option, "numprocesses", None) or getattr(option, "tx", None) or getattr(option, "distload", False)
    )


def _switch() -> str:
    """What the variable says, in lower case; nothing where it says no."""
    switch = os.environ.get(SWITCH, "").strip().lower()
    return "" if switch in ("0", "false", "no", "off") else switch


class Hooks:
    """What pytest knows by the name `testmon-precreate`."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        option = early_config.known_args_namespace
        if _switch() and _is_testmon_run(option) and _will_be_distributed(option):
            from testmon_precreate import collector

            try:
                collector.spare()
            except Exception:  # it only saves time
                pass

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        switch = _switch()
        if not switch or not _is_testmon_run(config.option) or not _is_distributed(config):
            return
        if "testmon.pytest_testmon" in sys.modules:
            from testmon_precreate import session

            try:
                session.start(config, switch)
            except Exception as error:  # nothing of ours may end a run that works without us
                session.warn(config, repr(error))


hooks = Hooks()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Called where this module itself is the plugin: an installed entry point may have come first."""
    if not pluginmanager.has_plugin(NAME):
        pluginmanager.register(hooks, NAME)
