"""What the coordination tests share: hand-made states, controllers that can be killed, dozens of workers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from support import Commands, clean_environment

STATE = "controller_ready.json"


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def make_state(**changes: Any) -> Dict[str, Any]:
    """A state that any worker on this host may use; `changes` replace or (with `...`) remove keys."""
    state: Dict[str, Any] = {
        "schema_version": 1,
        "timestamp": time.time(),
        "controller_pid": 0,
        "controller_start_time": 0.0,
        "liveness": "age",
        "hostname": socket.gethostname(),
        "boot_id": boot_id(),
        "run_uid": None,
        "rootdir": "/project",
        "database_path": "/project/.testmondata",
        "data_version": 13,
        "testmon_version": "2.1.3",
        "environment_id": 42,
        "environment_name": "default",
        "python_version": "3.11.7",
        "system_packages": "a 1.2",
        "system_packages_full": "a 1.2.3",
        "environment_action": "reused",
        "packages_changed": False,
        "expected_workers": 0,
        "precreated_entries": {
            "test_file_count": 1,
            "test_files_path": ".testmon_xdist/test_files.txt",
            "parked_environments": 0,
            "upgraded_from": None,
        },
    }
    state.update(changes)
    return {key: value for key, value in state.items() if value is not ...}


class Rootdir:
    """A rootdir with its coordination directory, and the commands at work in it."""

    def __init__(self, path: Path, commands: Commands) -> None:
        self.path = path
        self.commands = commands
        self.directory = path / ".testmon_xdist"
        path.mkdir(parents=True, exist_ok=True)
        self.environment = clean_environment(PATH=commands.path)

    def make_directory(self) -> None:
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def write_raw(self, content: bytes) -> None:
        """Puts a state into place as a controller does: whole, by a rename."""
        self.make_directory()
        temporary = self.directory / ".temporary"
        temporary.write_bytes(content)
        os.rename(temporary, self.directory / STATE)

    def write_state(self, **changes: Any) -> None:
        self.write_raw(json.dumps(make_state(**changes)).encode())

    def read_state(self) -> Dict[str, Any]:
        return json.loads((self.directory / STATE).read_bytes())

    def acknowledgments(self) -> List[str]:
        return sorted(path.name for path in self.directory.glob("worker_*_ready"))

    def start(self, *arguments: str, command: str = "", **options: Any) -> subprocess.Popen:
        options.setdefault("env", self.environment)
        options.setdefault("cwd", self.path)
        return subprocess.Popen(
            [command or self.commands.await_, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def await_(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
        options.setdefault("env", self.environment)
        return self.commands.run(self.commands.await_, *arguments, cwd=options.pop("cwd", self.path), **options)

    def precreate(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
        options.setdefault("env", self.environment)
        return self.commands.run(self.commands.precreate, *arguments, cwd=options.pop("cwd", self.path), **options)

    def prepare(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
        """Prepares from facts at hand, so that no interpreter is started."""
        return self.precreate(*self.prepare_arguments(), *arguments, **options)

    def prepare_arguments(self) -> List[str]:
        facts = self.path.parent / "facts.json"
        if not facts.exists():
            (self.path.parent / "packages").mkdir(exist_ok=True)
            facts.write_text(
                json.dumps(
                    {
                        "sys_path": [str(self.path.parent / "packages")],
                        "python_version": "3.11.7",
                        "testmon_version": "2.1.3",
                        "environment_name": "default",
                        "ignore_dependencies": [],
                    }
                )
            )
        return ["prepare", "-q", "--rootdir", str(self.path), "--process-facts", str(facts)]


class Controller:
    """A process that a state can be tied to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(["sleep", "1000"])

    @property
    def pid(self) -> int:
        return self.process.pid

    def state(self) -> Dict[str, Any]:
        """What a state says of it."""
        return {"liveness": "process", "controller_pid": self.pid, "controller_start_ticks": start_ticks(self.pid)}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "Controller":
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill()


def finish(process: subprocess.Popen, timeout: float = 60) -> "Finished":
    out, err = process.communicate(timeout=timeout)
    return Finished(process.returncode, out.decode(errors="surrogateescape"), err.decode(errors="replace"))


class Finished:
    def __init__(self, exit_code: int, out: str, err: str) -> None:
        self.exit_code = exit_code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit code {self.exit_code}, stdout {self.out!r}, stderr {self.err!r}"


def wait_until_blocked(process: subprocess.Popen, timeout: float = 20) -> None:
    """Returns once the process sleeps in its wait: it has a signalfd then."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        links: List[Optional[str]] = []
        for entry in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                links.append(os.readlink(entry))
            except OSError:
                continue
        state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "S" and any(link and "signalfd" in link for link in links):
            return
        time.sleep(0.005)
    raise AssertionError("the process does not wait")
