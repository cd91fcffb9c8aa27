"""Each exit code of the two commands, with its message."""

from __future__ import annotations

import subprocess
import time

import pytest
from coordination_support import STATE, Controller


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
            (["--"], {}, "no command after --"),
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

    def test_2_the_number_of_workers_is_unknown(self, rootdir):
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
            rootdir.await_("--timeout", "0.2"), 3, f"controller {dead.pid} of run r1 is gone", STATE, "prepare` again"
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
        self.check(rootdir.await_("--timeout", "0.2"), 4, "from before the last reboot")

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
            "run first is still in progress",
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
