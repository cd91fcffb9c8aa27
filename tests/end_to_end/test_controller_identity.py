"""Whose state it is: a living controller's, a dead one's, another host's, any run's."""

from __future__ import annotations

import subprocess
import time

from coordination_support import Controller


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
