"""What testmon-await hands over: a command, fields, help."""

from __future__ import annotations

import pytest
from coordination_support import STATE, finish


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
