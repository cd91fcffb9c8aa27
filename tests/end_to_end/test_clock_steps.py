"""The system clock is set by an hour, forwards or backwards, while a worker waits."""

from __future__ import annotations

import glob
import time
from typing import Dict

import pytest
from coordination_support import finish, wait_until_blocked

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="needs libfaketime")
AN_HOUR = 3600


class Clock:
    """What a command that is started with its environment takes for the time of day."""

    def __init__(self, file) -> None:
        self.file = file
        self.step(0)

    def step(self, seconds: int) -> None:
        replacement = self.file.with_suffix(".new")
        replacement.write_text(f"{seconds:+d}s\n")
        replacement.rename(self.file)

    @property
    def environment(self) -> Dict[str, str]:
        return {
            "LD_PRELOAD": LIBRARIES[0],
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            # A step leaves the kernel's monotonic clock alone.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }


@pytest.fixture
def clock(tmp_path) -> Clock:
    return Clock(tmp_path / "faketime")


@pytest.fixture
def start(rootdir, commands, clock):
    def start(*arguments: str):
        waiter = rootdir.start(
            *arguments,
            command=str(commands.build / "tests" / "coordination" / "await_with_shared_libraries"),
            env={**rootdir.environment, **clock.environment},
        )
        wait_until_blocked(waiter)
        return waiter

    rootdir.make_directory()
    return start


@pytest.mark.parametrize("step", [AN_HOUR, -AN_HOUR])
class TestClockSteps:
    @pytest.mark.parametrize("notifications", ["on", "off"])
    def test_the_timeout_is_kept(self, start, clock, rootdir, step, notifications):
        rootdir.environment["TESTMON_XDIST_NOTIFICATIONS"] = notifications
        began = time.monotonic()
        waiter = start("--timeout", "2", "--interval", "0.1")
        clock.step(step)
        assert finish(waiter).exit_code == 4
        assert 2 <= time.monotonic() - began < 10

    def test_a_state_that_is_as_young_as_the_new_time_is_taken(self, start, clock, rootdir, step):
        waiter = start("--timeout", "20", "--interval", "0.1")
        clock.step(step)
        rootdir.write_state(timestamp=time.time() + step)
        assert finish(waiter).exit_code == 0

    def test_a_state_of_a_living_controller_is_taken_whatever_its_time(self, start, clock, rootdir, step, controller):
        waiter = start("--timeout", "20", "--interval", "0.1", "--run-uid", "r1")
        clock.step(step)
        rootdir.write_state(run_uid="r1", **controller.state())
        assert finish(waiter).exit_code == 0

    def test_without_a_controller_the_difference_is_told(self, start, clock, rootdir, step):
        """This also shows that the clock of these tests moves."""
        waiter = start("--timeout", "2", "--interval", "0.1")
        clock.step(step)
        rootdir.write_state()
        ended = finish(waiter)
        assert ended.exit_code == 4
        assert ("stale" if step > 0 else "in the future") in ended.err
