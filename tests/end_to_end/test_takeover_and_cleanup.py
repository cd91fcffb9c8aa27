"""The coordination directory changes hands, and is left clean."""

from __future__ import annotations

import json
import shutil
import subprocess
import time

import pytest
from coordination_support import STATE, Controller, finish, make_state, wait_until_blocked


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

    def test_a_state_judged_by_age_delays_no_run(self, rootdir):
        assert rootdir.prepare("--run-uid", "r1").returncode == 0
        assert rootdir.prepare("--run-uid", "r2").returncode == 0

    @pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
    @pytest.mark.parametrize("error", ["EIO", "EMFILE", "EACCES"])
    def test_a_state_that_cannot_be_read_is_not_taken_over(self, rootdir, controller, error):
        rootdir.write_state(run_uid="r1", **controller.state())
        inject = ["strace", "-f", "-o", "/dev/null", "-P", STATE, "-e", "trace=openat"]
        inject += ["-e", f"inject=openat:error={error}"]
        for arguments in ([*rootdir.prepare_arguments(), "--run-uid", "r2"], ["cleanup", "--run-uid", "r2"]):
            result = subprocess.run(
                [*inject, rootdir.commands.precreate, *arguments],
                cwd=rootdir.path,
                env=rootdir.environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert result.returncode == 6 and STATE in result.stderr, result.stderr
            assert rootdir.read_state()["run_uid"] == "r1"

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
