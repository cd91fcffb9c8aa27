"""What a pytest process that this interpreter starts would know of itself: the process facts, as the plugin has them.

Built into the command (probe.cpp), which runs it as `-c SCRIPT EXPRESSION ADDITIONS…` in pytest's working directory.
The answer is a line of JSON after a mark, for whatever else may be written (a chatty sitecustomize, an expression that
prints). Nothing but json and testmon's own __init__ (one line) is imported, so that start-up stays cheap. A Python that
is too old for testmon, even a Python 2, gets as far as saying so.
"""

import sys

if sys.path and not sys.path[0]:
    del sys.path[0]  # `-c` puts it there; no module of the working directory is to be imported

import json  # noqa: E402
import os  # noqa: E402


def environment_name(expression):
    """As testmon.testmon_core.eval_environment has it; pytest's default without an expression."""
    if not expression:
        return ""
    import hashlib

    def md5(string):
        return hashlib.md5(string.encode()).hexdigest()

    try:
        return str(eval(expression, {"os": os, "sys": sys, "hashlib": hashlib, "md5": md5}))
    except Exception as error:
        return repr(error)


def testmon_version():
    """Its module's; the metadata's if another module has the name; empty without testmon."""
    try:
        import testmon

        version = getattr(testmon, "TESTMON_VERSION", None) or getattr(testmon, "VERSION", None)
        if version:
            return version
    except ImportError:
        pass
    try:
        import importlib.metadata

        return importlib.metadata.version("pytest-testmon")
    except Exception:
        return ""


def other_distributions():
    """Name and version of what no directory of sys.path shows: what its archives hold, what import hooks report."""
    files = [entry for entry in sys.path if isinstance(entry, str) and os.path.isfile(entry)]
    known = sys.modules["_frozen_importlib_external"].PathFinder
    finders = [one for one in sys.meta_path if one is not known and hasattr(one, "find_distributions")]
    if not files and not finders:
        return []
    from importlib.metadata import DistributionFinder

    found = list(known.find_distributions(DistributionFinder.Context(path=files)))
    for finder in finders:
        found += finder.find_distributions(DistributionFinder.Context())
    return [[text(distribution.metadata["Name"]), text(distribution.version)] for distribution in found]


def text(value):
    """Without lone surrogates, which UTF-8 cannot hold."""
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode()


def process_facts(expression, additions):
    facts = {"python_version": "%d.%d.%d" % sys.version_info[:3], "testmon_version": "", "sys_path": []}
    if sys.version_info >= (3, 8):
        sys.path[:0] = additions
        facts["testmon_version"] = testmon_version()
        # Python decoded the argument as a file name; the configuration file is UTF-8.
        expression = os.fsencode(expression).decode("utf-8", "replace")
        facts["environment_name"] = text(environment_name(expression))
        facts["sys_path"] = [entry for entry in sys.path if isinstance(entry, str)]
        facts["other_distributions"] = other_distributions()
    return facts


arguments = sys.argv[1:]
del sys.argv[1:]
answer = json.dumps(process_facts(arguments[0], arguments[1:]))
sys.stdout.flush()
os.write(1, ("\ntestmon-precreate-probe:" + answer + "\n").encode("ascii"))
