"""The hand-over between a run's processes: exit codes with their messages, waiting, security, clean-up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coordination_support import STATE, Controller, Rootdir, finish, make_state, wait_until_blocked


@pytest.fixture
def rootdir(tmp_path, commands) -> Rootdir:
    return Rootdir(tmp_path / "project", commands)


@pytest.fixture
def controller():
    with Controller() as process:
        yield process


class TestExitCodes:
    """Each code is reachable, and its message says what, where and what to do."""

    def check(self, result, code, *texts):
        assert result.returncode == code, result.stderr
        assert result.stderr.startswith("testmon-"), result.stderr
        assert ": error: " in result.stderr
        for text in texts:
            assert text in result.stderr
        assert result.stdout == ""

    def test_0_ready(self, rootdir):
        rootdir.write_state()
        result = rootdir.await_()
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    def test_0_switched_off_says_so(self, rootdir):
        environment = {**rootdir.environment, "TESTMON_XDIST_CONTROLLER_PRECREATION": "off"}
        for result in (
            rootdir.await_("--json", env=environment),
            rootdir.precreate("wait", env=environment),
            rootdir.precreate("cleanup", env=environment),
            rootdir.prepare(env=environment),
        ):
            assert (result.returncode, result.stdout) == (0, "")
            assert "switched off by TESTMON_XDIST_CONTROLLER_PRECREATION" in result.stderr
        assert not rootdir.directory.exists()

    def test_1_anything_else(self, rootdir):
        """The result cannot be written: neither usage nor coordination."""
        rootdir.write_state()
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                [rootdir.commands.await_, "--json"],
                cwd=rootdir.path,
                env=rootdir.environment,
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
            )
        assert result.returncode == 1
        assert "testmon-await: error: could not write the result (standard output)" in result.stderr

    @pytest.mark.parametrize(
        "arguments, variables, text",
        [
            (["--no-such-option"], {}, "--no-such-option"),
            (["--timeout", "soon"], {}, "'soon' is not a number of at least 0 (--timeout)"),
            (["--timeout", "-1"], {}, "--timeout"),
            (["--backoff", "1"], {}, "'1' is not a number above 1 (--backoff)"),
            (["--interval", "0"], {}, "(--interval)"),
            (["--max-interval", "nan"], {}, "(--max-interval)"),
            (["--max-age", "1e99"], {}, "(--max-age)"),
            (["--worker", "../../etc"], {}, "'../../etc' is not a worker id"),
            (["--worker", ".hidden"], {}, "is not a worker id"),
            (["--worker", "x" * 65], {}, "is not a worker id"),
            (["--json", "--shell"], {}, "--json"),
            (["--get", "no_such_field"], {}, "a state has no field 'no_such_field' (--get)"),
            (["--"], {}, "no command behind --"),
            (["word"], {}, "word"),
            ([], {"TESTMON_XDIST_WORKER_TIMEOUT": "soon"}, "(TESTMON_XDIST_WORKER_TIMEOUT)"),
            ([], {"TESTMON_XDIST_CHECK_INTERVAL": "0"}, "(TESTMON_XDIST_CHECK_INTERVAL)"),
            ([], {"TESTMON_XDIST_BACKOFF_FACTOR": "0.5"}, "(TESTMON_XDIST_BACKOFF_FACTOR)"),
            ([], {"TESTMON_XDIST_MAX_INTERVAL": "x"}, "(TESTMON_XDIST_MAX_INTERVAL)"),
            ([], {"TESTMON_XDIST_STATE_MAX_AGE": "-5"}, "(TESTMON_XDIST_STATE_MAX_AGE)"),
            ([], {"TESTMON_XDIST_DEBUG": "2"}, "(TESTMON_XDIST_DEBUG)"),
            ([], {"TESTMON_XDIST_CONTROLLER_PRECREATION": "maybe"}, "(TESTMON_XDIST_CONTROLLER_PRECREATION)"),
            ([], {"PYTEST_XDIST_WORKER": "a/b"}, "'a/b' is not a worker id"),
        ],
    )
    def test_2_usage(self, rootdir, arguments, variables, text):
        rootdir.write_state()
        self.check(rootdir.await_(*arguments, env={**rootdir.environment, **variables}), 2, text)

    def test_2_nobody_said_how_many_workers(self, rootdir):
        rootdir.write_state(expected_workers=0)
        self.check(rootdir.precreate("wait"), 2, "how many workers", STATE, "--workers N")

    def test_2_no_such_controller(self, rootdir):
        with Controller() as dead:
            pass
        self.check(rootdir.prepare("--controller-pid", str(dead.pid)), 2, f"no process {dead.pid}", "--controller-pid")

    def test_3_controller_gone(self, rootdir):
        with Controller() as dead:
            rootdir.write_state(run_uid="r1", **dead.state())
        self.check(
            rootdir.await_("--timeout", "0.2"), 3, f"controller {dead.pid} of run r1 is gone", STATE, "prepare` anew"
        )

    def test_4_nothing_there(self, rootdir):
        self.check(rootdir.await_("--timeout", "0.2"), 4, "no state file appeared within 0.2 s", STATE, "prepare")

    def test_4_another_run(self, rootdir):
        rootdir.write_state(run_uid="theirs")
        result = rootdir.await_("--timeout", "0.2", "--run-uid", "mine")
        self.check(result, 4, "a state of another run (theirs, not mine)", "s old")

    def test_4_stale(self, rootdir):
        rootdir.write_state(timestamp=time.time() - 1000)
        self.check(rootdir.await_("--timeout", "0.2"), 4, "a stale state: 1000.", "the limit is 300 s")
        self.check(rootdir.await_("--timeout", "0.2", "--max-age", "10"), 4, "the limit is 10 s")
        assert rootdir.await_("--max-age", "0").returncode == 0

    def test_4_another_boot(self, rootdir):
        rootdir.write_state(boot_id="11111111-2222-3333-4444-555555555555")
        self.check(rootdir.await_("--timeout", "0.2"), 4, "from before this host was started last")

    def test_4_from_the_future(self, rootdir):
        rootdir.write_state(timestamp=time.time() + 1000)
        self.check(rootdir.await_("--timeout", "0.2"), 4, "in the future: the clocks differ")

    def test_5_invalid(self, rootdir):
        rootdir.write_raw(b"{")
        self.check(rootdir.await_("--timeout", "0.2"), 5, "not valid JSON", STATE, "cleanup")
        rootdir.write_state(schema_version=2)
        self.check(rootdir.await_("--timeout", "0.2"), 5, "'schema_version' is 2, this program knows 1")
        rootdir.write_state(database_path=...)
        self.check(rootdir.await_("--timeout", "0.2"), 5, "'database_path' is missing")

    def test_6_file_operation(self, rootdir):
        rootdir.directory.write_text("a file")
        self.check(rootdir.await_("--rootdir", str(rootdir.path), "--timeout", "0.2"), 6, "Not a directory")

    def test_7_workers_missing(self, rootdir):
        rootdir.write_state(expected_workers=3)
        assert rootdir.await_("--worker", "gw1").returncode == 0
        self.check(
            rootdir.precreate("wait", "--timeout", "0.2"),
            7,
            "1 of 3 workers acknowledged within 0.2 s; missing: gw0, gw2; there: gw1",
            "status",
        )

    def test_9_another_run_lives(self, rootdir, controller):
        assert rootdir.prepare("--controller-pid", str(controller.pid), "--run-uid", "first").returncode == 0
        self.check(
            rootdir.prepare("--run-uid", "second"),
            9,
            "run first is going on",
            f"process {controller.pid}, is alive",
            "s old",
            "--wait-for-run",
        )
        assert rootdir.read_state()["run_uid"] == "first"

    def test_126_and_127(self, rootdir, tmp_path):
        rootdir.write_state()
        plain = tmp_path / "plain"
        plain.write_text("not executable")
        for command, code in ((str(plain), 126), (str(tmp_path), 126), ("no-such-command", 127), ("/no/such", 127)):
            shell = subprocess.run(["sh", "-c", '"$0"', command], capture_output=True)
            self.check(rootdir.await_("--", command), code, command)
            assert shell.returncode == code, "as a shell would"

    def test_8_and_10_come_from_prepare(self, rootdir):
        (rootdir.path / ".testmondata").write_bytes(b"no database" * 1000)
        self.check(rootdir.prepare(), 8)
        assert not (rootdir.directory / STATE).exists()
        self.check(rootdir.precreate("prepare", "--python", "/no/such/python"), 10, "/no/such/python")


class TestIdentity:
    def test_a_zombie_is_no_controller(self, rootdir):
        process = subprocess.Popen(["sleep", "1000"])
        zombie = Controller.__new__(Controller)
        zombie.process = process
        state = zombie.state()
        process.kill()
        time.sleep(0.1)
        rootdir.write_state(**state)
        assert rootdir.await_("--timeout", "0.1").returncode == 3
        process.wait()

    def test_a_reused_pid_is_not_mistaken(self, rootdir, controller):
        ticks = controller.state()["controller_start_ticks"]
        rootdir.write_state(**{**controller.state(), "controller_start_ticks": ticks - 1})
        assert rootdir.await_("--timeout", "0.1").returncode == 3

    def test_the_start_time_in_seconds_does_where_ticks_are_missing(self, rootdir, controller):
        now = time.time()
        state = {"liveness": "process", "controller_pid": controller.pid}
        rootdir.write_state(controller_start_time=now, **state)
        assert rootdir.await_("--timeout", "0.1").returncode == 0
        rootdir.write_state(controller_start_time=now - 60, **state)
        assert rootdir.await_("--timeout", "0.1").returncode == 3

    def test_another_host_is_judged_by_run_and_age(self, rootdir):
        elsewhere = {"hostname": "elsewhere", "boot_id": "another", "liveness": "process", "controller_pid": 1}
        rootdir.write_state(run_uid="r1", **elsewhere)
        assert rootdir.await_("--run-uid", "r1").returncode == 0
        assert rootdir.await_("--run-uid", "r2", "--timeout", "0.1").returncode == 4
        rootdir.write_state(timestamp=time.time() - 301, **elsewhere)
        assert rootdir.await_("--timeout", "0.1").returncode == 4

    def test_another_pid_namespace_is_judged_by_age(self, rootdir):
        with Controller() as dead:
            state = dead.state()
        rootdir.write_state(pid_namespace="pid:[1]", **state)
        assert rootdir.await_().returncode == 0

    def test_a_worker_restarted_late_still_finds_its_living_run(self, rootdir, controller):
        rootdir.write_state(run_uid="r1", timestamp=time.time() - 4000, **controller.state())
        assert rootdir.await_("--run-uid", "r1").returncode == 0
        assert rootdir.await_("--timeout", "0.1").returncode == 4, "without a run id the age counts"

    def test_a_state_without_run_id_is_of_any_run(self, rootdir):
        rootdir.write_state(run_uid=None)
        assert rootdir.await_("--run-uid", "r1").returncode == 0


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
        (rootdir.directory / STATE).write_text(json.dumps(make_state()))
        start = time.monotonic()
        assert finish(waiter).exit_code == 0
        assert time.monotonic() - start < 5

    def test_notified_after_the_directory_was_made_anew(self, rootdir):
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

    def test_without_inotify_backoff_suffices(self, rootdir):
        rootdir.make_directory()
        no_inotify = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"'
        namespace = ["--user", "--map-root-user", "sh", "-c", no_inotify, rootdir.commands.await_, "--timeout", "20"]
        if subprocess.run(["unshare", *namespace[:4], "exit 0"], stderr=subprocess.DEVNULL).returncode != 0:
            pytest.skip("no user namespaces here")
        waiter = rootdir.start(*namespace, command="unshare")
        time.sleep(0.3)
        assert waiter.poll() is None
        assert "inotify" not in str([os.readlink(fd) for fd in Path(f"/proc/{waiter.pid}/fd").iterdir()])
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


class TestBusy:
    def test_the_same_run_prepares_again(self, rootdir, controller):
        arguments = ["--controller-pid", str(controller.pid), "--run-uid", "r1"]
        assert rootdir.prepare(*arguments).returncode == 0
        assert rootdir.await_("--worker", "gw0").returncode == 0
        assert rootdir.prepare(*arguments).returncode == 0
        assert rootdir.acknowledgments() == ["worker_gw0_ready"], "a run's own acknowledgments stay"

    def test_a_crashed_run_is_taken_over_at_once(self, rootdir):
        with Controller() as dead:
            arguments = ["--controller-pid", str(dead.pid), "--run-uid", "r1"]
            assert rootdir.prepare(*arguments).returncode == 0
            assert rootdir.await_("--worker", "gw0").returncode == 0
        assert rootdir.prepare("--run-uid", "r2").returncode == 0
        assert rootdir.read_state()["run_uid"] == "r2"
        assert rootdir.acknowledgments() == []

    def test_a_state_judged_by_age_holds_nobody_up(self, rootdir):
        assert rootdir.prepare("--run-uid", "r1").returncode == 0
        assert rootdir.prepare("--run-uid", "r2").returncode == 0

    def test_wait_for_run_gives_up_in_time(self, rootdir, controller):
        rootdir.write_state(run_uid="r1", **controller.state())
        start = time.monotonic()
        assert rootdir.prepare("--run-uid", "r2", "--wait-for-run", "1").returncode == 9
        assert 1 <= time.monotonic() - start < 10

    def test_wait_for_run_goes_on_when_the_controller_dies(self, rootdir, controller):
        rootdir.write_state(run_uid="r1", **controller.state())
        waiter = rootdir.start(
            *rootdir.prepare_arguments(), "--run-uid", "r2", "--wait-for-run", "60", command=rootdir.commands.precreate
        )
        wait_until_blocked(waiter)
        controller.kill()
        assert finish(waiter).exit_code == 0
        assert rootdir.read_state()["run_uid"] == "r2"

    def test_only_one_of_many_wins(self, rootdir):
        """Eight runs want the directory at the same moment; each has a living controller."""
        controllers = [Controller() for _ in range(8)]
        try:
            for _ in range(5):
                processes = [
                    rootdir.start(
                        *rootdir.prepare_arguments(),
                        *("--controller-pid", controller.pid, "--run-uid", f"run{controller.pid}"),
                        command=rootdir.commands.precreate,
                    )
                    for controller in controllers
                ]
                codes = [finish(process).exit_code for process in processes]
                assert sorted(codes) == [0] + [9] * 7
                winner = controllers[codes.index(0)]
                assert rootdir.read_state()["run_uid"] == f"run{winner.pid}"
                assert rootdir.precreate("cleanup", "--run-uid", f"run{winner.pid}").returncode == 0
        finally:
            for controller in controllers:
                controller.kill()


class TestCleanup:
    def test_everything_of_ours_goes(self, rootdir):
        assert rootdir.prepare().returncode == 0
        assert rootdir.await_("--worker", "gw0").returncode == 0
        (rootdir.directory / ".controller_ready.json.1.0.tmp").touch()
        assert rootdir.precreate("cleanup").returncode == 0
        assert not rootdir.directory.exists()
        assert rootdir.precreate("cleanup").returncode == 0, "and again: nothing is there"

    def test_foreign_files_links_and_directories_stay(self, rootdir, tmp_path):
        assert rootdir.prepare().returncode == 0
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "worker_gw0_ready").write_text("precious")
        (rootdir.directory / "notes.txt").write_text("precious")
        (rootdir.directory / "worker_gw0_ready").symlink_to(outside / "worker_gw0_ready")
        (rootdir.directory / "worker_gw1_ready").mkdir()
        (rootdir.directory / STATE).unlink()
        (rootdir.directory / STATE).symlink_to(outside / "worker_gw0_ready")
        assert rootdir.precreate("cleanup").returncode == 0
        left = sorted(path.name for path in rootdir.directory.iterdir())
        assert left == [STATE, "notes.txt", "worker_gw0_ready", "worker_gw1_ready"]
        assert (outside / "worker_gw0_ready").read_text() == "precious"

    def test_half_of_it_gone(self, rootdir):
        for name in (STATE, ".gitignore", "test_files.txt", ".lock"):
            assert rootdir.prepare().returncode == 0
            (rootdir.directory / name).unlink()
            assert rootdir.precreate("cleanup").returncode == 0
            assert not rootdir.directory.exists(), name

    def test_a_directory_that_is_a_link_is_not_followed(self, rootdir, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir(mode=0o700)
        (outside / STATE).write_text(json.dumps(make_state()))
        rootdir.directory.symlink_to(outside)
        for result in (rootdir.precreate("cleanup"), rootdir.await_("--timeout", "0.1"), rootdir.prepare()):
            assert result.returncode == 6
            assert "is a symbolic link" in result.stderr
        assert (outside / STATE).exists()

    def test_a_living_run_of_others_is_refused_without_force(self, rootdir, controller):
        assert rootdir.prepare("--controller-pid", str(controller.pid), "--run-uid", "r1").returncode == 0
        for arguments in ([], ["--run-uid", "r2"], ["--controller-pid", "1"]):
            result = rootdir.precreate("cleanup", *arguments)
            assert result.returncode == 9, arguments
            assert "--force" in result.stderr
            assert (rootdir.directory / STATE).exists()
        assert rootdir.precreate("cleanup", "--force").returncode == 0
        assert not rootdir.directory.exists()

    def test_a_run_cleans_up_after_itself(self, rootdir, controller):
        for arguments in (["--run-uid", "r1"], ["--controller-pid", str(controller.pid)]):
            assert rootdir.prepare("--controller-pid", str(controller.pid), "--run-uid", "r1").returncode == 0
            assert rootdir.precreate("cleanup", *arguments).returncode == 0
            assert not rootdir.directory.exists()

    def test_the_shell_that_prepared_is_the_run_itself(self, rootdir):
        words = " ".join(f"'{word}'" for word in rootdir.prepare_arguments())
        script = f"testmon-precreate {words} --controller-pid $$ && testmon-precreate cleanup -q"
        result = rootdir.commands.run("sh", "-c", script, cwd=rootdir.path, env=rootdir.environment)
        assert result.returncode == 0, result.stderr

    def test_the_data_file_is_complete_alone(self, rootdir, tmp_path):
        assert rootdir.prepare().returncode == 0
        assert rootdir.precreate("cleanup").returncode == 0
        wal = rootdir.path / ".testmondata-wal"
        assert not wal.exists() or wal.stat().st_size == 0
        shutil.copy(rootdir.path / ".testmondata", tmp_path / "copy")
        import sqlite3

        assert sqlite3.connect(tmp_path / "copy").execute("SELECT count(*) FROM environment").fetchone() == (1,)


class TestSecurity:
    def test_modes(self, rootdir):
        old = os.umask(0)
        try:
            assert rootdir.prepare().returncode == 0
        finally:
            os.umask(old)
        assert rootdir.await_("--worker", "gw0").returncode == 0
        assert stat.S_IMODE(rootdir.directory.stat().st_mode) == 0o700
        for path in rootdir.directory.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert (rootdir.directory / ".gitignore").read_text() == "*\n"

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
    def test_a_directory_that_others_can_write_to_is_refused(self, rootdir, mode):
        rootdir.write_state()
        rootdir.directory.chmod(mode)
        for result in (rootdir.await_("--timeout", "5"), rootdir.prepare(), rootdir.precreate("cleanup")):
            assert result.returncode == 6
            assert f"other users can write to the coordination directory (mode {mode:o})" in result.stderr
            assert "chmod 700" in result.stderr

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_a_directory_of_another_user_is_refused(self, rootdir):
        rootdir.write_state()
        os.chown(rootdir.directory, 12345, -1)
        for result in (rootdir.await_("--timeout", "5"), rootdir.prepare(), rootdir.precreate("cleanup")):
            assert result.returncode == 6
            assert "belongs to user 12345" in result.stderr

    def test_a_state_of_a_gibibyte_is_refused_quickly(self, rootdir):
        rootdir.make_directory()
        with open(rootdir.directory / STATE, "wb") as file:
            file.truncate(1 << 30)
        self.check_refused(rootdir, "it is larger than 1024 KiB")

    @pytest.mark.parametrize("text", [b"[" * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000])
    def test_nested_values_are_refused_quickly(self, rootdir, text):
        rootdir.write_raw(text)
        self.check_refused(rootdir, "it nests deeper than 16 levels")

    def check_refused(self, rootdir, text):
        start = time.monotonic()
        limited = 'ulimit -v 16384 && exec "$0" "$@"'
        result = finish(rootdir.start("-c", limited, rootdir.commands.await_, "--timeout", "0", command="/bin/sh"))
        assert result.exit_code == 5, result
        assert text in result.err
        assert len(result.err) < 1000
        assert time.monotonic() - start < 5

    @pytest.mark.parametrize("kind", ["pipe", "directory", "link"])
    def test_a_state_that_is_no_file_is_refused(self, rootdir, kind, tmp_path):
        rootdir.make_directory()
        path = rootdir.directory / STATE
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "directory":
            path.mkdir()
        else:
            (tmp_path / "elsewhere").write_text(json.dumps(make_state()))
            path.symlink_to(tmp_path / "elsewhere")
        start = time.monotonic()
        result = rootdir.await_("--timeout", "20")
        assert result.returncode == 6
        assert STATE in result.stderr
        assert time.monotonic() - start < 10

    SHELLS = [shell for shell in ("sh", "bash", "dash") if shutil.which(shell)]
    NASTY = b"/p/it's $(touch pwned) `touch pwned` \"q\" \\ \n \t ; & | < > * ? ~ ! # \x01 \x7f \x80\xff \xee\xbe\x80 \xed\xa0\x80 e"

    @pytest.mark.parametrize("shell", SHELLS)
    def test_shell_output_survives_any_byte(self, rootdir, shell):
        every_byte = bytes(range(1, 256)) + self.NASTY
        rootdir.write_state(
            database_path=os.fsdecode(every_byte), rootdir=os.fsdecode(self.NASTY), environment_name="- $x ' \" \n"
        )
        script = (
            'eval "$(testmon-await --shell)" && '
            'printf "%s\\0" "$TESTMON_XDIST_DATABASE_PATH" "$TESTMON_XDIST_ROOTDIR" "$TESTMON_XDIST_ENVIRONMENT_NAME"'
        )
        result = subprocess.run([shell, "-c", script], cwd=rootdir.path, env=rootdir.environment, capture_output=True)
        assert result.stdout.split(b"\0")[:3] == [every_byte, self.NASTY, b"- $x ' \" \n"], result.stderr
        assert not (rootdir.path / "pwned").exists()

    def test_every_byte_goes_through_json_and_the_environment(self, rootdir):
        every_byte = b"/" + bytes(byte for byte in range(1, 256)) + self.NASTY
        rootdir.write_state(database_path=os.fsdecode(every_byte))
        printed = subprocess.run(
            [rootdir.commands.await_, "--json"], cwd=rootdir.path, env=rootdir.environment, capture_output=True
        ).stdout
        assert os.fsencode(json.loads(printed)["database_path"]) == every_byte
        got = subprocess.run(
            [rootdir.commands.await_, "--get", "database_path"],
            cwd=rootdir.path,
            env=rootdir.environment,
            capture_output=True,
        ).stdout
        assert got == every_byte + b"\n"
        code = "import os, sys; sys.stdout.buffer.write(os.environb[b'TESTMON_XDIST_DATABASE_PATH'])"
        executed = subprocess.run(
            [rootdir.commands.await_, "--", sys.executable, "-c", code],
            cwd=rootdir.path,
            env=rootdir.environment,
            capture_output=True,
        ).stdout
        assert executed == every_byte

    def test_a_project_at_a_path_that_is_not_utf8(self, tmp_path, commands):
        rootdir = Rootdir(Path(os.fsdecode(os.fsencode(tmp_path) + b"/pro\xff\xfeject")), commands)
        (tmp_path / "facts.json").write_text(
            json.dumps(
                {
                    "sys_path": [],
                    "python_version": "3.11.7",
                    "testmon_version": "2.1.3",
                    "environment_name": "default",
                    "ignore_dependencies": [],
                }
            )
        )
        arguments = ["prepare", "-q", "--rootdir", str(rootdir.path), "--process-facts", str(tmp_path / "facts.json")]
        result = subprocess.run([commands.precreate, *arguments], cwd=tmp_path, env=rootdir.environment)
        assert result.returncode == 0
        assert os.fsencode(rootdir.read_state()["rootdir"]) == os.fsencode(rootdir.path)

    def test_the_log_tells_no_variables_but_ours(self, rootdir):
        environment = {**rootdir.environment, "MY_SECRET": "hunter2", "TESTMON_XDIST_DEBUG": "1"}
        for result in (rootdir.prepare(env=environment), rootdir.await_("--worker", "gw0", env=environment)):
            assert result.returncode == 0
            assert result.stderr
            assert "hunter2" not in result.stderr and "MY_SECRET" not in result.stderr
        for path in rootdir.directory.iterdir():
            assert "hunter2" not in path.read_text()


class TestCommand:
    def test_it_replaces_the_process_with_our_variables_set(self, rootdir):
        rootdir.write_state(run_uid="r1", environment_id=7, database_path="/d b")
        process = rootdir.start("--worker", "gw0", "--", "sh", "-c", 'echo $$ "$1" "$2"; env', "-", "--", "a b")
        result = finish(process)
        lines = result.out.splitlines()
        assert lines[0] == f"{process.pid} -- a b"
        assert "TESTMON_XDIST_ENVIRONMENT_ID=7" in lines
        assert "TESTMON_XDIST_DATABASE_PATH=/d b" in lines
        assert "TESTMON_XDIST_RUN_UID=r1" in lines
        assert f"TESTMON_XDIST_STATE={rootdir.directory / STATE}" in lines
        assert rootdir.acknowledgments() == ["worker_gw0_ready"]

    def test_its_exit_code_is_the_commands(self, rootdir):
        rootdir.write_state()
        assert rootdir.await_("--", "sh", "-c", "exit 33").returncode == 33

    def test_no_command_runs_without_a_state(self, rootdir):
        assert rootdir.await_("--timeout", "0", "--", "touch", "ran").returncode == 4
        assert not (rootdir.path / "ran").exists()

    def test_switched_off_it_still_runs(self, rootdir):
        environment = {**rootdir.environment, "TESTMON_XDIST_CONTROLLER_PRECREATION": "0"}
        assert rootdir.await_("--", "sh", "-c", "exit 5", env=environment).returncode == 5

    def test_found_from_a_subdirectory(self, rootdir):
        rootdir.write_state()
        below = rootdir.path / "a" / "b"
        below.mkdir(parents=True)
        assert rootdir.await_("--get", "environment_id", cwd=below).stdout == "42\n"

    @pytest.mark.parametrize(
        "field, text",
        [
            ("environment_id", "42"),
            ("packages_changed", "false"),
            ("run_uid", ""),
            ("precreated_entries.test_file_count", "1"),
            ("liveness", "age"),
        ],
    )
    def test_get(self, rootdir, field, text):
        rootdir.write_state()
        assert rootdir.await_("--get", field).stdout == text + "\n"

    def test_help_and_version(self, rootdir):
        for command in (rootdir.commands.await_, rootdir.commands.precreate):
            shown = rootdir.commands.run(command, "--help", cwd=rootdir.path)
            assert shown.returncode == 0 and "Examples:" in shown.stdout and shown.stderr == ""
            shown = rootdir.commands.run(command, "--version", cwd=rootdir.path)
            assert shown.returncode == 0 and "data versions 12 to 14" in shown.stdout


class TestStatus:
    def test_text_and_json(self, rootdir, controller):
        assert "no state" in rootdir.precreate("status").stdout
        arguments = ["--controller-pid", str(controller.pid), "--run-uid", "r1", "-n", "2"]
        assert rootdir.prepare(*arguments).returncode == 0
        assert rootdir.await_("--worker", "gw1").returncode == 0
        text = rootdir.precreate("status").stdout
        for part in ("s old", "usable       yes", "r1", f"process {controller.pid}, alive", "gw1", "missing: gw0"):
            assert part in text
        shown = json.loads(rootdir.precreate("status", "--json").stdout)
        assert (shown["controller"], shown["usable"], shown["missing"]) == ("alive", True, ["gw0"])
        assert [ack["worker_id"] for ack in shown["acknowledgments"]] == ["gw1"]
        assert shown["state"]["run_uid"] == "r1"
        controller.kill()
        shown = json.loads(rootdir.precreate("status", "--json").stdout)
        assert (shown["controller"], shown["usable"]) == ("gone", False)
        assert "is gone" in rootdir.precreate("status").stdout


class TestMetrics:
    def test_a_line_a_command(self, rootdir, tmp_path):
        file = tmp_path / "metrics"
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": str(file)}
        assert rootdir.prepare("-n", "1", env=environment).returncode == 0
        assert rootdir.await_("--worker", "gw0", env=environment).returncode == 0
        assert rootdir.await_("--", "true", env=environment).returncode == 0
        assert rootdir.precreate("wait", env=environment).returncode == 0
        assert rootdir.precreate("cleanup", env=environment).returncode == 0
        assert rootdir.await_("--timeout", "0.1", env=environment).returncode == 4
        assert rootdir.await_("--timeout", "x", env=environment).returncode == 2
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        seen = [(line["command"], line["outcome"], line["error"], line["exit_code"]) for line in lines]
        assert seen == [
            ("prepare", "ok", None, 0),
            ("await", "ok", None, 0),
            ("await", "ok", None, 0),
            ("wait", "ok", None, 0),
            ("cleanup", "ok", None, 0),
            ("await", "error", "CoordinationTimeout", 4),
            ("await", "error", "UsageError", 2),
        ]
        assert all(line["milliseconds"]["total"] > 0 for line in lines)
        phases = ["total", "surroundings", "claim", "data_file", "test_files", "state"]
        assert list(lines[0]["milliseconds"]) == phases
        assert lines[1]["waits"] == 1
        summary = json.loads(rootdir.precreate("status", "--json", "--metrics", str(file)).stdout)
        assert summary["runs"] == {"prepare": 1, "await": 4, "wait": 1, "cleanup": 1}
        assert summary["errors"] == {"CoordinationTimeout": 1, "UsageError": 1}
        assert summary["waiting"]["count"] == 2
        assert summary["preparation"]["median_ms"] == lines[0]["milliseconds"]["total"]
        assert "await 4" in rootdir.precreate("status", "--metrics", str(file)).stdout

    def test_lines_of_concurrent_commands_do_not_mix(self, rootdir, tmp_path):
        rootdir.write_state()
        file = tmp_path / "metrics"
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": str(file), "PYTEST_XDIST_TESTRUNUID": "u" * 3000}
        processes = [rootdir.start(env=environment) for _ in range(200)]
        assert {finish(process).exit_code for process in processes} == {0}
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert len(lines) == 200

    def test_a_file_that_cannot_be_written_is_a_warning(self, rootdir):
        rootdir.write_state()
        environment = {**rootdir.environment, "TESTMON_XDIST_METRICS": "/no/such/directory/file"}
        result = rootdir.await_(env=environment)
        assert result.returncode == 0
        assert "warning: no metrics: could not open" in result.stderr
