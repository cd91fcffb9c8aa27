"""Fixtures of the end-to-end tests: real commands, real virtual environments, real projects.

Nothing is mocked: every test drives the built binaries and released packages. TESTMON_PRECREATE_BUILD
names the build directory (default: build/release); virtual environments are kept in build/venvs and
used again.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from affected_support import TESTMON, Workbench  # noqa: E402
from coordination_support import Controller, Rootdir  # noqa: E402
from suite_process import Controller as SuiteController, default_signals_for_children  # noqa: E402
from support import Commands, Project, Venvs, clean_environment, unreachable_index  # noqa: E402

SOURCE = Path(__file__).resolve().parents[2]


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    default_signals_for_children()
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SuiteController(config))


@pytest.fixture(scope="session")
def commands() -> Commands:
    build = Path(os.environ.get("TESTMON_PRECREATE_BUILD", SOURCE / "build" / "release"))
    return Commands(build.resolve(), SOURCE)


@pytest.fixture(scope="session")
def venvs() -> Venvs:
    """Makes virtual environments; skips if no package index answers, fails then in CI."""
    return Venvs(SOURCE / "build" / "venvs")


@pytest.fixture(scope="session")
def wheel(commands: Commands) -> Path:
    """The wheel of this source tree; several test processes build it one after another, which is quick then."""
    target = SOURCE / "build" / "wheels"
    target.mkdir(parents=True, exist_ok=True)
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = commands.run(commands.source / "scripts" / "wheel", cwd=SOURCE, env=clean_environment(), timeout=900)
    if result.returncode != 0 and "Failed to fetch" in result.stderr:
        unreachable_index(result.stderr)
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.strip().splitlines()[-1])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small project: one module, four tests in two files."""
    return Project.sample(tmp_path / "project")


@pytest.fixture
def rootdir(tmp_path: Path, commands: Commands) -> Rootdir:
    """An empty project for tests of the coordination directory alone."""
    return Rootdir(tmp_path / "project", commands)


@pytest.fixture
def controller():
    """A living process that a state can be tied to."""
    with Controller() as process:
        yield process


@pytest.fixture
def bench(project, venvs, commands, tmp_path) -> Workbench:
    """The sample project after a first run."""
    cache = tmp_path / "cache"
    cache.mkdir()
    made = Workbench(project, venvs.get(TESTMON, "pytest>=8,<9"), commands, cache)
    made.pytest()
    return made
