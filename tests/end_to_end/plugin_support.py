"""What the tests of the pytest plugin share: runs with it, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, List, Optional

from support import Commands, Project, PytestResult, Venv

# The oldest pytest, the one that most people have, and the newest; xdist and Python as they fit.
NEW = ("pytest-testmon==2.2.0", "pytest>=9,<10", "pytest-xdist>=3.8,<4", "pytest-cov")
MIDDLE = ("pytest-testmon==2.1.3", "pytest>=8,<9", "pytest-xdist==3.6.1", "pytest-cov")
OLD = ("pytest-testmon==2.1.0", "pytest==7.0.1", "pytest-xdist==3.0.2", "pytest-cov<5")


def plugin_environment(venv: Venv, commands: Commands, **variables: str) -> Dict[str, str]:
    """A shell in which the plugin is switched on as the README has it, without being installed."""
    return venv.environment(
        commands,
        **{
            "TESTMON_XDIST_CONTROLLER_PRECREATION": "true",
            "PYTHONPATH": commands.plugin_directory,
            "PYTEST_PLUGINS": "testmon_precreate.plugin",
            **variables,
        },
    )


def run(project: Project, venv: Venv, environment: Dict[str, str], *arguments: str, **options) -> PytestResult:
    return project.run([venv.python, "-m", "pytest", "--testmon", *arguments], environment, **options)


def assert_clean(project: Project, result: Optional[PytestResult] = None) -> None:
    """None of our files is left, and nothing went wrong on the way."""
    assert not (project.path / ".testmon_xdist").exists()
    if result is not None:
        assert "testmon-precreate:" not in result.output, result.output


def watch_coordination(project: Project) -> None:
    """Lets each worker write down whether it saw the coordination state, and its acknowledgment."""
    (project.path / "conftest.py").write_text(
        "import os, pathlib, pytest\n"
        "HERE = pathlib.Path(__file__).parent\n"
        "@pytest.hookimpl(trylast=True)\n"
        "def pytest_configure(config):\n"
        "    worker = os.environ.get('PYTEST_XDIST_WORKER')\n"
        "    if worker:\n"
        "        seen = (HERE / '.testmon_xdist' / 'controller_ready.json').exists()\n"
        "        acknowledged = (HERE / '.testmon_xdist' / f'worker_{worker}_ready').exists()\n"
        "        (HERE / f'{worker}.seen').write_text(f'{seen} {acknowledged}')\n"
    )


def seen_by_workers(project: Project) -> List[str]:
    """What watch_coordination's workers wrote, which is removed."""
    files = sorted(project.path.glob("gw*.seen"))
    texts = [file.read_text() for file in files]
    for file in files:
        file.unlink()
    return texts


def start_slow_run(project: Project, venv: Venv, environment: Dict[str, str], *command: str) -> subprocess.Popen:
    """Starts a run whose tests last a minute each, and returns once one of them runs."""
    marker = project.path / "running"
    (project.path / "tests" / "test_slow.py").write_text(
        "import pathlib, time\n\n\ndef test_slow():\n"
        f"    pathlib.Path({str(marker)!r}).touch()\n    time.sleep(60)\n"
    )
    words = command or (venv.python, "-m", "pytest", "--testmon", "-n", "2")
    process = subprocess.Popen(
        words, cwd=project.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )
    wait_until(marker.exists, process)
    return process


def wait_until(condition, process: Optional[subprocess.Popen] = None, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        ended = process is not None and process.poll() is not None
        assert not ended and time.monotonic() < deadline, process.stdout.read() if ended else "it did not come in time"
        time.sleep(0.02)


def end(process: subprocess.Popen, signal_number: int) -> str:
    """Sends the signal to that one process, waits for its end and returns its output."""
    process.send_signal(signal_number)
    try:
        return process.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def install_entry_point(venv: Venv, plugin_directory: str) -> None:
    """What installing the wheel leaves in site-packages, the binaries apart."""
    package = venv.site_packages / "testmon_precreate"
    package.mkdir()
    for source in Path(plugin_directory, "testmon_precreate").glob("*.py"):
        (package / source.name).write_text(source.read_text())
    directory = venv.add_distribution("testmon-precreate", "0.1.0")
    (directory / "entry_points.txt").write_text("[pytest11]\ntestmon-precreate = testmon_precreate.plugin:hooks\n")
