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


class Hooks:
    """What pytest knows by the name `testmon-precreate`."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        switch = os.environ.get(SWITCH, "").strip().lower()
        if switch in ("", "0", "false", "no", "off"):
            return
        if not _is_testmon_run(config.option) or not _is_distributed(config):
            return
        if "testmon.pytest_testmon" in sys.modules:
            from testmon_precreate import session

            session.start(config, switch)


hooks = Hooks()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Called where this module itself is the plugin: an installed entry point may have come first."""
    if not pluginmanager.has_plugin(NAME):
        pluginmanager.register(hooks, NAME)
