"""What the end-to-end tests and the scripts share: commands, virtual environments, projects."""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Sequence


def chosen_seed() -> int:
    """For tests that draw their cases: TESTMON_PRECREATE_SEED if a run is to be repeated; always the same one in CI, as
    chance must not decide whether a change lands; any other one elsewhere. Show it if a test fails."""
    given = os.environ.get("TESTMON_PRECREATE_SEED")
    if given:
        return int(given)
    return 1 if "CI" in os.environ else random.SystemRandom().randrange(1 << 32)


def usual_python() -> str:
    """This Python's version as the system has it: distributions build it with profile-guided optimization, pyenv does
    not, and most of what the tests take is the start of interpreters."""
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    return system if os.access(system, os.X_OK) else sys.executable


def clean_environment(**variables: str) -> Dict[str, str]:
    """The environment of a user's shell: nothing of the test run itself leaks into the tested one."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "TESTMON_", "COV_", "COVERAGE_"))
        and name not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    }
    kept.update(variables)
    return kept


@dataclass
class Commands:
    """The commands under test."""

    build: Path
    source: Path

    @property
    def precreate(self) -> str:
        return str(self.build / "src" / "testmon-precreate")

    @property
    def await_(self) -> str:
        return str(self.build / "src" / "testmon-await")

    @property
    def wrapper(self) -> str:
        return str(self.source / "scripts" / "pytest-xdist-testmon")

    @property
    def plugin_directory(self) -> str:
        return str(self.source / "scripts" / "pytest-plugin")

    @property
    def path(self) -> str:
        """PATH with the commands in front."""
        return f"{self.build / 'src'}{os.pathsep}{os.environ['PATH']}"

    def run(self, *arguments: str, cwd: Path, **options) -> subprocess.CompletedProcess:
        """Runs one command to its end and returns what it printed; never raises for an exit code."""
        options.setdefault("env", clean_environment(PATH=self.path))
        options.setdefault("timeout", 120)
        return subprocess.run(
            [str(argument) for argument in arguments], cwd=cwd, text=True, capture_output=True, **options
        )


class Venvs:
    """Virtual environments by content: the same request gives the same directory, also in a later run."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory.resolve()

    def get(self, *requirements: str, python: Optional[str] = None, compiled: bool = True) -> "Venv":
        """A venv of `python` (the usual one) with `requirements` installed, and compiled for tests that start it more
        than once. Tests that change it use `copy`."""
        python = python or usual_python()
        key = hashlib.sha256(repr((python, sorted(requirements), compiled)).encode()).hexdigest()[:16]
        path = self.directory / key
        with open(self.directory / f"{key}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (path / "complete").exists():
                shutil.rmtree(path, ignore_errors=True)
                self._create(path, requirements, python, compiled)
                (path / "complete").touch()
        return Venv(path)

    def _create(self, path: Path, requirements: Sequence[str], python: str, compiled: bool) -> None:
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--no-project", "--python", python, str(path)], check=True)
        if requirements:
            # A copy of a venv that has never run would compile all that it imports, in each of its processes.
            self.install(Venv(path), *(["--compile-bytecode"] if compiled else []), *requirements)

    def install(self, venv: "Venv", *requirements: str) -> None:
        """Installs into a venv that is the caller's own."""
        uv = [sys.executable, "-m", "uv", "--quiet"]
        result = subprocess.run(
            [*uv, "pip", "install", "--python", venv.python, *requirements], text=True, capture_output=True
        )
        if result.returncode != 0:
            unreachable_index(result.stderr)

    def latest_version(self, project: str) -> str:
        """The newest release of `project` on the package index."""
        return self.newest_versions([project], "--no-deps")[project]

    def newest_versions(self, projects: Sequence[str], *options: str) -> Dict[str, str]:
        """The newest releases on the package index that go together."""
        command = [sys.executable, "-m", "uv", "pip", "compile", "--no-header", "--no-annotate", *options, "-"]
        result = subprocess.run(command, input="\n".join(projects), text=True, capture_output=True)
        if result.returncode != 0:
            unreachable_index(result.stderr)
        found = dict(line.split("==") for line in result.stdout.split())
        return {project: found[project] for project in projects}

    def sdist(self, requirement: str) -> Path:
        """The unpacked source distribution of a pinned release, kept for later runs; copy it to change it."""
        target = self.directory / requirement.replace("==", "-")
        with open(f"{target}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                with tempfile.TemporaryDirectory(dir=self.directory) as scratch:
                    # Of that one: `:all:` would build the build backends from source as well, for minutes.
                    name = requirement.split("==")[0]
                    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name]
                    result = subprocess.run([*pip, "-d", scratch, requirement], text=True, capture_output=True)
                    if result.returncode != 0:
                        unreachable_index(result.stderr)
                    (archive,) = Path(scratch).glob("*.tar.gz")
                    with tarfile.open(archive) as tar:
                        tar.extractall(scratch)
                    (unpacked,) = [path for path in Path(scratch).iterdir() if path.is_dir()]
                    unpacked.rename(target)
        return target


def unreachable_index(reason: str) -> None:
    """Skips loudly on a developer's machine without a package index; fails in CI."""
    import pytest

    if os.environ.get("CI") == "true":
        pytest.fail(f"packages could not be installed: {reason}")
    pytest.skip(f"NO PACKAGE INDEX: {reason}")


@dataclass
class Venv:
    path: Path

    @property
    def python(self) -> str:
        return str(self.path / "bin" / "python")

    @property
    def site_packages(self) -> Path:
        (found,) = self.path.glob("lib/python3.*/site-packages")
        return found

    def copy(self, target: Path) -> "Venv":
        """A copy that a test may change: hard links if possible, its own scripts and directories."""
        shutil.copytree(self.path, target, symlinks=True, copy_function=_link_or_copy)
        for script in (target / "bin").iterdir():
            if script.is_symlink() or not script.is_file():
                continue
            content = script.read_bytes()
            if content.startswith(b"#!"):
                script.unlink()
                first, rest = content.split(b"\n", 1)
                if b" " in os.fsencode(target) and os.fsencode(self.path) in first:
                    # As pip does if the path has a space: for sh, and a string for Python.
                    first = b"#!/bin/sh\n'''exec' \"%s\" \"$0\" \"$@\"\n' '''" % first[2:]
                content = first + b"\n" + rest
                script.write_bytes(content.replace(os.fsencode(self.path), os.fsencode(target)))
                script.chmod(0o755)
        return Venv(target)

    def add_distribution(self, name: str, version: str) -> Path:
        """What installing a pure package leaves: a directory with METADATA."""
        directory = self.site_packages / f"{name.replace('-', '_')}-{version}.dist-info"
        directory.mkdir()
        (directory / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        return directory

    def remove_distribution(self, name: str) -> None:
        for directory in self.site_packages.glob(f"{name.replace('-', '_')}-*.dist-info"):
            shutil.rmtree(directory)

    def environment(self, commands: Optional[Commands] = None, **variables: str) -> Dict[str, str]:
        """The environment of a shell in which this venv (and our commands) are active."""
        front = [str(self.path / "bin")] + ([str(commands.build / "src")] if commands else [])
        path = os.pathsep.join([*front, os.environ["PATH"]])
        return clean_environment(**{"PATH": path, "VIRTUAL_ENV": str(self.path), **variables})


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@dataclass
class PytestResult:
    exit_code: int
    output: str

    @property
    def passed(self) -> int:
        return self._count("passed")

    @property
    def failed(self) -> int:
        return self._count("failed") + self._count("error") + self._count("errors")

    @property
    def readonly_error(self) -> bool:
        return "attempt to write a readonly database" in self.output

    def _count(self, word: str) -> int:
        counts = [int(number) for number in re.findall(rf"\b(\d+) {word}\b", self.output)]
        return counts[-1] if counts else 0


@dataclass
class Project:
    path: Path

    @classmethod
    def sample(cls, path: Path, test_files: int = 2) -> "Project":
        """A package `shop` and `test_files` files of two tests each; each file tests one function."""
        (path / "tests").mkdir(parents=True)
        functions = "\n\n".join(f"def price_{i}(count):\n    return count * {i + 1}" for i in range(test_files))
        (path / "shop.py").write_text(functions + "\n")
        for i in range(test_files):
            (path / "tests" / f"test_price_{i}.py").write_text(
                f"import shop\n\n\ndef test_one():\n    assert shop.price_{i}(1) == {i + 1}\n\n\n"
                f"def test_none():\n    assert shop.price_{i}(0) == 0\n"
            )
        (path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
        return cls(path)

    @property
    def datafile(self) -> Path:
        return self.path / ".testmondata"

    def edit_function(self, index: int = 0) -> None:
        """Changes the body of `shop.price_INDEX`, not what it returns."""
        module = self.path / "shop.py"
        text = module.read_text()
        line = f"    return count * {index + 1}\n"
        assert line in text or f"    factor = {index + 1}\n" in text
        module.write_text(text.replace(line, f"    factor = {index + 1}\n    return factor * count\n"))

    def rows(self, statement: str) -> List[tuple]:
        connection = sqlite3.connect(self.datafile)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def run(self, command: Sequence[str], environment: Dict[str, str], timeout: float = 120) -> PytestResult:
        result = subprocess.run(
            [str(word) for word in command],
            cwd=self.path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
        )
        return PytestResult(result.returncode, result.stdout)
