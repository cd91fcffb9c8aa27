"""Has testmon's own coverage object record with a core that can switch contexts.

testmon records which test executes a line by switching coverage's context. The core `sysmon`, coverage's default from
Python 3.14 on and what COVERAGE_CORE=sysmon asks for, cannot do that: each line is then recorded for the first test alone
that executes it, and after an edit the others do not run. So testmon's object gets the C tracer, or the Python tracer
if that is missing. Other coverage objects, those of pytest-cov among them, keep the core that was chosen for them.

What stock testmon has recorded with sysmon must not be selected by: wherever sysmon would have been taken, the
environment's packages have an entry more (CONTEXTS_ENTRY), so that such rows do not match.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Iterator, List, Optional

from testmon_precreate import testmon_internals as internals

VARIABLE = "COVERAGE_CORE"
CONTEXTS_ENTRY: List[Optional[str]] = ["coverage-contexts", "1"]  # name and version


def would_be_sysmon() -> bool:
    """Whether coverage would take sysmon for an object without configuration (coverage.core.Core)."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return chosen == "sysmon" and sys.version_info >= (3, 12)
    env = sys.modules.get("coverage.env")
    return bool(getattr(env, "SYSMON_DEFAULT", False))


def use_core_with_contexts() -> None:
    """Replaces the class that testmon makes its coverage object of. Does nothing unless sysmon would be taken."""
    module = internals.module_with_coverage_class()
    if would_be_sysmon() and not getattr(module.Coverage, "has_contexts", False):
        module.Coverage = _class_with_contexts(module.Coverage)


def _class_with_contexts(coverage_class: Any) -> Any:
    class Coverage(coverage_class):  # type: ignore[misc]
        has_contexts = True

        def __init__(self, *arguments: Any, **options: Any) -> None:
            with _without_variable():
                super().__init__(*arguments, **options)
                if hasattr(self.config, "core"):  # from coverage 7.9 on
                    self.config.core = _name_of_core()

        def start(self) -> None:
            # Before coverage 7.9 the variable is read here, and the C tracer is the default.
            with _without_variable():
                super().start()

    return Coverage


def _name_of_core() -> str:
    try:
        import coverage.tracer  # noqa: F401
    except ImportError:
        return "pytrace"
    return "ctrace"


@contextlib.contextmanager
def _without_variable() -> Iterator[None]:
    value = os.environ.pop(VARIABLE, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[VARIABLE] = value
