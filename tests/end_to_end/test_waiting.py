"""Workers that wait for a state, and a controller that waits for its workers."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest
from coordination_support import STATE, finish, make_state, wait_until_blocked


class TestWaiting:
    @pytest.mark.parametrize("there", ["directory", "rootdir", "nothing"])
    def test_notified_whatever_exists_yet(self, rootdir, there):
        """Without a notification the look would come after 50 s."""
        if there == "directory":
            rootdir.make_directory()
        elif there == "nothing":
            rootdir.path.rmdir()
        waiter = rootdir.start(
            "--rootdir", rootdir.path, "--interval", "50", "--max-interval", "50", "--timeout", "60", cwd="/"
        )
        wait_until_blocked(waiter)
        rootdir.path.mkdir(exist_ok=True)
        start = time.monotonic()
        rootdir.write_state()
        assert finish(waiter).exit_code == 0
        assert time.monotonic() - start < 5

    def test_notified_of_a_state_written_in_place(self, rootdir):
        rootdir.make_directory()
        waiter = rootdir.start("--interval", "50", "--max-interval", "50", "--timeout", "60")
        wait_until_blocked(waiter)
        text = json.dumps(make_state())
        with open(rootdir.directory / STATE, "w") as state:
            for part in (text[:100], text[100:]):
                time.sleep(0.1)
                state.write(part)
                state.flush()
        start = time.monotonic()
        assert finish(waiter).exit_code == 0
        assert time.monotonic() - start < 5

    def test_notified_of_a_state_that_comes_from_elsewhere(self, rootdir):
        rootdir.make_directory()
        waiter = rootdir.start("--interval", "50", "--max-interval", "50", "--timeout", "60")
        wait_until_blocked(waiter)
        (rootdir.path / "state").write_text(json.dumps(make_state()))
        start = time.monotonic()
        (rootdir.path / "state").rename(rootdir.directory / STATE)
        assert finish(waiter).exit_code == 0
        assert time.monotonic() - start < 5

    def test_notified_after_the_directory_was_made_again(self, rootdir):
        rootdir.make_directory()
        waiter = rootdir.start("--interval", "50", "--max-interval", "50", "--timeout", "60")
        wait_until_blocked(waiter)
        for _ in range(20):
            rootdir.directory.rmdir()
            rootdir.make_directory()
        rootdir.write_state()
        start = time.monotonic()
        assert finish(waiter).exit_code == 0
        assert time.monotonic() - start < 5

    def test_the_timeout_is_kept(self, rootdir):
        start = time.monotonic()
        assert rootdir.await_("--timeout", "0.5", "--interval", "0.4", "--max-interval", "100").returncode == 4
        assert 0.5 <= time.monotonic() - start < 3

    def test_a_timeout_of_0_is_one_look(self, rootdir):
        assert rootdir.await_("--timeout", "0").returncode == 4
        rootdir.write_state()
        assert rootdir.await_("--timeout", "0").returncode == 0

    def test_without_notifications_backoff_suffices(self, rootdir):
        rootdir.make_directory()
        environment = {**rootdir.environment, "TESTMON_XDIST_NOTIFICATIONS": "off"}
        waiter = rootdir.start("--timeout", "20", env=environment)
        wait_until_blocked(waiter)
        assert str(rootdir.directory) not in [os.readlink(fd) for fd in Path(f"/proc/{waiter.pid}/fd").iterdir()]
        rootdir.write_state()
        assert finish(waiter).exit_code == 0

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_signals_end_it_at_once(self, rootdir, number):
        waiter = rootdir.start("--timeout", "100", "--interval", "50", "--max-interval", "50")
        wait_until_blocked(waiter)
        start = time.monotonic()
        waiter.send_signal(number)
        assert finish(waiter).exit_code == 128 + number
        assert time.monotonic() - start < 5

    def test_an_ignored_signal_stays_ignored(self, rootdir):
        waiter = rootdir.start(
            "--timeout", "100", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
        )
        wait_until_blocked(waiter)
        waiter.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert waiter.poll() is None
        rootdir.write_state()
        assert finish(waiter).exit_code == 0

    def test_the_command_gets_its_signals_as_they_were(self, rootdir):
        waiter = rootdir.start("--timeout", "100", "--", "grep", "SigBlk", "/proc/self/status")
        wait_until_blocked(waiter)
        rootdir.write_state()
        assert finish(waiter).out.split()[1] == "0" * 16

    def test_suspended_and_resumed(self, rootdir):
        """The time passes while it is suspended; it looks once more before it gives up."""
        waiter = rootdir.start("--timeout", "0.5")
        wait_until_blocked(waiter)
        waiter.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        rootdir.write_state()
        waiter.send_signal(signal.SIGCONT)
        assert finish(waiter).exit_code == 0

    def test_an_unreadable_state_may_still_be_replaced(self, rootdir):
        rootdir.write_raw(b'{"half": ')
        waiter = rootdir.start("--timeout", "30")
        wait_until_blocked(waiter)
        rootdir.write_state()
        assert finish(waiter).exit_code == 0

    def test_an_unreadable_state_is_not_waited_for_long(self, rootdir):
        rootdir.write_raw(b"{")
        start = time.monotonic()
        assert rootdir.await_("--timeout", "60").returncode == 5
        assert time.monotonic() - start < 10

    def test_no_note_without_a_terminal(self, rootdir):
        result = rootdir.await_("--timeout", "1.2")
        assert result.stderr.count("\n") == 1

    def test_on_a_terminal_a_note_after_a_second(self, rootdir):
        ours, its = pty.openpty()
        waiter = subprocess.Popen(
            [rootdir.commands.await_, "--timeout", "30"], cwd=rootdir.path, env=rootdir.environment, stderr=its
        )
        os.close(its)
        time.sleep(0.5)
        assert not select.select([ours], [], [], 0)[0]
        assert select.select([ours], [], [], 10)[0]
        assert b"waiting for the controller's state, up to 30 s" in os.read(ours, 4096)
        rootdir.write_state()
        assert waiter.wait(timeout=30) == 0
        os.close(ours)

    def test_many_files_do_not_wake_it(self, rootdir):
        """Other files in the directory cost a waiter next to nothing."""
        rootdir.make_directory()
        waiter = rootdir.start("--timeout", "60", "--interval", "50", "--max-interval", "50")
        wait_until_blocked(waiter)
        for number in range(5000):
            (rootdir.directory / f"other{number}").touch()
        ticks = sum(map(int, Path(f"/proc/{waiter.pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
        rootdir.write_state()
        assert finish(waiter).exit_code == 0
        assert ticks <= 0.5 * os.sysconf("SC_CLK_TCK")


class TestAcknowledgments:
    def test_content_and_mode(self, rootdir):
        rootdir.write_state(run_uid="r1")
        assert rootdir.await_("--worker", "gw3").returncode == 0
        path = rootdir.directory / "worker_gw3_ready"
        acknowledgment = json.loads(path.read_text())
        assert set(acknowledgment) == {"worker_id", "pid", "hostname", "timestamp", "waited_seconds", "run_uid"}
        assert (acknowledgment["worker_id"], acknowledgment["run_uid"]) == ("gw3", "r1")
        assert abs(acknowledgment["timestamp"] - time.time()) < 30
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_xdist_variables_are_the_defaults(self, rootdir):
        rootdir.write_state(run_uid="r1")
        environment = {**rootdir.environment, "PYTEST_XDIST_WORKER": "gw7", "PYTEST_XDIST_TESTRUNUID": "r1"}
        assert rootdir.await_(env=environment).returncode == 0
        assert rootdir.acknowledgments() == ["worker_gw7_ready"]
        environment["PYTEST_XDIST_TESTRUNUID"] = "r2"
        assert rootdir.await_("--timeout", "0.1", env=environment).returncode == 4

    def test_none_without_a_worker_or_with_no_ack(self, rootdir):
        rootdir.write_state()
        assert rootdir.await_().returncode == 0
        assert rootdir.await_("--worker", "gw0", "--no-ack").returncode == 0
        assert rootdir.acknowledgments() == []

    def test_a_restarted_worker_overwrites_its_own(self, rootdir):
        rootdir.write_state()
        pids = set()
        for _ in range(2):
            assert rootdir.await_("--worker", "gw0").returncode == 0
            pids.add(json.loads((rootdir.directory / "worker_gw0_ready").read_text())["pid"])
        assert len(pids) == 2
        assert rootdir.acknowledgments() == ["worker_gw0_ready"]

    def test_wait_counts_this_run_only_and_wakes(self, rootdir):
        rootdir.write_state(run_uid="old")
        assert rootdir.await_("--worker", "gw1").returncode == 0
        rootdir.write_state(run_uid="new", expected_workers=2)
        assert rootdir.await_("--worker", "gw0").returncode == 0
        waiter = rootdir.start(
            *("wait", "--interval", "50", "--max-interval", "50", "--timeout", "100"),
            command=rootdir.commands.precreate,
        )
        wait_until_blocked(waiter)
        start = time.monotonic()
        assert rootdir.await_("--worker", "gw1").returncode == 0
        result = finish(waiter)
        assert (result.exit_code, result.out) == (0, "2 of 2 workers have acknowledged\n")
        assert time.monotonic() - start < 5
