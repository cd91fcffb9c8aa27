"""What the tests of `affected` and `explain` share."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

from support import Commands, Project, Venv

HERE = Path(__file__).resolve().parent
TESTMON = "pytest-testmon==2.2.0"


def home_file(test: str) -> str:
    return test.split("::", 1)[0]


@dataclass
class Workbench:
    """A project, the testmon that runs its tests, and our command."""

    project: Project
    venv: Venv
    commands: Commands
    cache: Path
    python_path: str = ""

    @property
    def environment(self) -> Dict[str, str]:
        paths = [str(self.project.path / self.python_path)] if self.python_path else []
        return self.venv.environment(
            self.commands,
            PYTHONPATH=os.pathsep.join([str(HERE), *paths]),
            PYTHONDONTWRITEBYTECODE="1",
            SELECTION_ORACLE=str(self.cache / "oracle.json"),
            XDG_CACHE_HOME=str(self.cache),
        )

    def pytest(self, *arguments: str, may_break: bool = False) -> Dict[str, List[str]]:
        """Runs pytest; returns what testmon knew and selected, nothing if a broken file kept it from that."""
        oracle = self.cache / "oracle.json"
        oracle.unlink(missing_ok=True)
        command = [self.venv.python, "-m", "pytest", "-q", "-p", "selection_oracle", "--testmon", *arguments]
        result = self.project.run(command, self.environment, timeout=600)
        if may_break and not oracle.exists():
            assert "Error" in result.output or "INTERNALERROR" in result.output, result.output
            return {}
        return json.loads(oracle.read_text())

    def ask_testmon(self, may_break: bool = False) -> Dict[str, List[str]]:
        """What testmon would run, without running it and without a change of its data."""
        return self.pytest("--testmon-nocollect", "--collect-only", may_break=may_break)

    def affected(self, *arguments: str) -> subprocess.CompletedProcess:
        result = self.commands.run(
            self.commands.precreate, "affected", *arguments, cwd=self.project.path, env=self.environment
        )
        assert result.returncode in (0, 5), result.stderr
        return result

    def answer(self, *arguments: str) -> Dict:
        return json.loads(self.affected("--json", *arguments).stdout)
