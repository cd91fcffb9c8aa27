"""What others may put into the coordination directory, and what we put there."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coordination_support import STATE, Rootdir, finish, make_state


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
