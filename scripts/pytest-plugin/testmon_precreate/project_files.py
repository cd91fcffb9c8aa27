"""Which files are a project's own, so that a change of them can matter to its tests."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from typing import Dict, List, Optional, Tuple

# Directories, and endings of directories, whose files are made from others or belong to a tool.
LEFT_OUT = frozenset(
    ".git .hg .svn .jj __pycache__ .pytest_cache .mypy_cache .ruff_cache .hypothesis .tox .nox .eggs"
    " site-packages dist-packages node_modules".split()
)
LEFT_OUT_ENDINGS = (".egg-info", ".dist-info")
LEFT_OUT_NAMES = (".testmon", ".coverage", "coverage.xml")


class ProjectFiles:
    """Paths relative to pytest's rootdir, as testmon writes them, of files that count."""

    def __init__(self, rootdir: str, left_out: List[str]) -> None:
        """`left_out`: directories below the rootdir that do not count either."""
        self.root = os.path.realpath(rootdir)
        self._prefixes = tuple({self.root + os.sep, rootdir + os.sep})
        ours = os.path.dirname(os.path.dirname(__file__))
        elsewhere = [*left_out, ours, tempfile.gettempdir(), sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()]
        real = {os.path.realpath(path) + os.sep for path in elsewhere}
        self._left_out: Tuple[str, ...] = tuple(path for path in real if path.startswith(self.root + os.sep))
        self._libraries = tuple(path for path in real if not self.root.startswith(path[:-1]))
        self._known: Dict[str, Optional[str]] = {}

    def relative(self, path: str) -> Optional[str]:
        """Nothing for a path that does not count. Follows links: testmon hashes a link by its target's name."""
        if not path.startswith(self._prefixes):
            if path[:1] in ("/", "<", ""):
                return None
            try:
                path = os.path.join(os.getcwd(), path)
            except OSError:  # the working directory is gone
                return None
            if not path.startswith(self._prefixes):
                return None
        try:
            return self._known[path]
        except KeyError:
            found = self._known[path] = self._look_at(path)
            return found

    def _look_at(self, path: str) -> Optional[str]:
        try:
            real = os.path.realpath(path)
            real.encode()  # testmon cannot store other names, nor can a worker send them
        except ValueError:
            return None
        if not real.startswith(self.root + os.sep) or real.startswith(self._left_out):
            return None
        relative = real[len(self.root) + 1 :].replace(os.sep, "/")
        parts = relative.split("/")
        if not LEFT_OUT.isdisjoint(parts) or any(part.endswith(LEFT_OUT_ENDINGS) for part in parts):
            return None
        if any(part.startswith(LEFT_OUT_NAMES) for part in parts) or relative.endswith((".pyc", ".pyo")):
            return None
        return relative

    def is_elsewhere(self, path: str) -> bool:
        """Whether this is a file outside of the rootdir that was not installed."""
        real = os.path.realpath(path)
        return (
            os.path.isabs(path)
            and path.isprintable()  # others, such as lone surrogates, a worker cannot send
            and not real.startswith((self.root + os.sep, *self._libraries))
            and LEFT_OUT.isdisjoint(real.split(os.sep))
        )
