"""What the plugin tells the user."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Callable, Optional

import pytest


class TestmonPrecreateWarning(pytest.PytestWarning):
    """Mostly: the run goes on as it would without the plugin."""

    __test__ = False


def warn(config: pytest.Config, text: str, consequence: str = " – the run goes on without it") -> str:
    """Returns what pytest shows in its summary; nothing if it is shown already."""
    message = f"testmon-precreate: {text}{consequence}"
    try:
        config.issue_config_time_warning(TestmonPrecreateWarning(message), stacklevel=2)
        return message
    except Warning:  # -W error: our warning must not end the run either
        sys.stderr.write(message + "\n")
        return ""


def show(config: pytest.Config, text: str) -> None:
    """Writes to standard error, past pytest's capturing."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        sys.stderr.write(text)
        sys.stderr.flush()


def debug_log(config: pytest.Config) -> Optional[Callable[[str], None]]:
    """Shows the commands' debug log; nothing unless TESTMON_XDIST_DEBUG asks for it."""
    if os.environ.get("TESTMON_XDIST_DEBUG", "").strip().lower() not in ("1", "true", "yes", "on"):
        return None
    return lambda text: show(config, text)
