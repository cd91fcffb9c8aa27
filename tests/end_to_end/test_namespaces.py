"""The namespaces that tests use: what is mounted there is seen nowhere else, in a chroot too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import namespaces
from namespaces import namespace

# A root that is no mount point, made of the machine's own directories.
MAKE_CHROOT = """
for entry in /*; do
  if [ -L "$entry" ]; then cp -P "$entry" "$1/"
  elif [ -d "$entry" ]; then mkdir "$1$entry" && mount --rbind "$entry" "$1$entry"; fi || exit 90
done
root=$1; shift
chroot "$root" unshare --mount true && exit 91
exec chroot "$root" sh -c "$@"
"""


def shell(words, script: str, *arguments) -> subprocess.CompletedProcess:
    command = [*words, "sh", "-c", script, "sh", *arguments]
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_read_only_directory(tmp_path):
    inside = shell(namespace(read_only=tmp_path), 'cd "$1" && touch inside', tmp_path)
    assert inside.returncode != 0 and "Read-only" in inside.stdout, inside.stdout
    (tmp_path / "outside").touch()


def test_a_file_system_of_its_own(tmp_path):
    inside = shell(namespace(tmpfs=tmp_path, size="64k"), 'cd "$1" && touch inside && ls && ! head -c 99999 /dev/zero >x', tmp_path)
    assert inside.returncode == 0 and inside.stdout.startswith("inside\n"), inside.stdout
    assert not any(tmp_path.iterdir())


def test_the_first_process(tmp_path):
    assert shell(namespace(pid=True), "echo $$; exec ls -d /proc/[0-9]*").stdout.split() == ["1", "/proc/1"]
    assert shell(namespace(pid=True), "exit 7").returncode == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root directory")
def test_in_a_chroot_that_is_no_mount_point(tmp_path):
    root, directory = tmp_path / "root", tmp_path / "directory"
    root.mkdir()
    directory.mkdir()
    helper = f'"{sys.executable}" "{Path(namespaces.__file__).resolve()}"'
    script = (
        f'{helper} --read-only "{directory}" sh -c \'! touch "{directory}/inside"\' && touch "{directory}/outside" &&'
        f" test $({helper} --pid sh -c 'echo $$') = 1"
    )
    result = shell(namespace(), MAKE_CHROOT, root, script)
    assert result.returncode == 0, result.stdout
    assert [path.name for path in directory.iterdir()] == ["outside"]
