"""What the commands know of pytest's options (src/pytest/option_table.cpp), compared with what releases say themselves."""

from __future__ import annotations

import json
import subprocess
from typing import Any, Dict

import pytest

from line_server import LineServer
from plugin_support import MIDDLE, OLD
from pythons import python_of
from releases import internals
from support import Commands, Venv, Venvs

# A run that collects nothing, and says which words each option takes (argparse's nargs).
ASK = """
import json, os, sys, pytest

class Asker:
    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config):
        actions = config._parser.optparser._actions
        found = {option: action.nargs for action in actions for option in action.option_strings}
        os.write(1, b"\\nOPTIONS" + json.dumps(found).encode() + b"\\n")

pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[Asker()])
"""
KINDS = {0: "none", None: "one", "?": "optional"}


def options_of(venv: Venv, directory: str, **variables: str) -> Dict[str, Any]:
    environment = {**venv.environment(), **variables}
    output = subprocess.check_output([venv.python, "-c", ASK], text=True, env=environment, cwd=directory)
    (line,) = [line for line in output.splitlines() if line.startswith("OPTIONS")]
    return {option: KINDS.get(count, str(count)) for option, count in json.loads(line[len("OPTIONS") :]).items()}


@pytest.fixture
def known(commands: Commands):
    """Asks what our table says."""
    server = LineServer(str(commands.build / "tests" / "pytest" / "scan_test_files"))

    def ask(options, core: bool) -> Dict[str, str]:
        return dict(zip(options, server.ask({"options": list(options), "core": core})["counts"]))

    yield ask
    server.close()


def newest_venv(venvs: Venvs) -> Venv:
    newest = venvs.newest_versions(list(internals.SEEN_IN))
    return venvs.get(*(f"{name}=={version}" for name, version in newest.items()))


VENVS = {
    "old": lambda venvs: venvs.get(*OLD, python=python_of("3.8")),
    "middle": lambda venvs: venvs.get(*MIDDLE, python=python_of("3.9")),
    "newest": newest_venv,
}


@pytest.mark.parametrize("age", VENVS)
def test_options_of_pytest_itself(age, known, venvs, tmp_path):
    venv = VENVS[age](venvs)
    told = options_of(venv, tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert len(told) > 80
    assert known(told, core=True) == told


def test_options_of_the_newest_plugins(known, venvs, tmp_path):
    """Those that the table names are what it says; any other one is unknown to it."""
    venv = newest_venv(venvs)
    core = options_of(venv, tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    told = {option: kind for option, kind in options_of(venv, tmp_path).items() if option not in core}
    ours = known(told, core=False)
    named = {option: kind for option, kind in ours.items() if kind != "unknown"}
    assert named == {option: told[option] for option in named}
    assert {"-n", "--numprocesses", "--dist", "--tx", "--rsyncdir", "--rsyncignore", "--testmon-env"} <= set(named)
