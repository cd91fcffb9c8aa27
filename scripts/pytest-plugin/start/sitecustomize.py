"""Has pytest load the plugin in the processes of a command that `testmon-precreate run` started.

PYTEST_PLUGINS alone is not enough: if something on the way replaces PYTHONPATH (`env PYTHONPATH=src pytest`), or the
interpreter is told to ignore it, pytest would look for a plugin that it cannot find, and end with an error. An
interpreter that does not see this file does not know of the plugin either.

Python imports it at its start (see its module `site`). So PYTEST_PLUGINS names the plugin only from the moment when
pytest is imported until the plugin is, and no process that is started from here inherits it.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "testmon_precreate"
PLUGIN = PACKAGE + ".plugin"
VARIABLE = "PYTEST_PLUGINS"


class _Watch:
    """A finder that sees what is imported, and finds the plugin's package alone.

    A worker has the sys.path of its controller, which may have been started without us.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        if name == "_pytest.config":
            _set_plugins([PLUGIN, *_other_plugins()])
        elif name == PACKAGE:
            from importlib.machinery import PathFinder

            sys.meta_path.remove(_Watch)
            _set_plugins(_other_plugins())
            return PathFinder.find_spec(name, [os.path.dirname(HERE)])
        return None


def _other_plugins() -> list[str]:
    return [name for name in os.environ.get(VARIABLE, "").split(",") if name not in ("", PLUGIN)]


def _set_plugins(names: list[str]) -> None:
    if names:
        os.environ[VARIABLE] = ",".join(names)
    else:
        os.environ.pop(VARIABLE, None)


def _import_the_next_one() -> None:
    """This file hides the one that Python would have found without us."""
    ours = sys.modules.pop(__name__)
    before = list(sys.path)
    sys.path[:] = [entry for entry in before if os.path.abspath(entry) != HERE]
    without_us = list(sys.path)
    try:
        __import__(__name__)
    except ImportError as error:
        if error.name != __name__:
            raise
    finally:
        if sys.path == without_us:
            sys.path[:] = before
        sys.modules.setdefault(__name__, ours)


sys.meta_path.insert(0, _Watch)
_import_the_next_one()
