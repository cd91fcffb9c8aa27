"""Commands in mount and pid namespaces of their own, with file systems that only they see.

As a program: namespaces.py [--pid] [--read-only DIRECTORY] [--tmpfs DIRECTORY SIZE] COMMAND…

`unshare --mount` does not work in a chroot whose `/` is no mount point, as many build roots and some containers are:
it cannot keep mounts from spreading to the namespace outside. This does.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
from typing import List, Optional

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
# nosuid, nodev, noexec and noatime: a user namespace may not take them off. Equal in mount(2) and statvfs(3).
KEPT_FLAGS = 2 | 4 | 8 | 1024

libc = ctypes.CDLL(None, use_errno=True)


def namespace(
    pid: bool = False, read_only: Optional[os.PathLike] = None, tmpfs: Optional[os.PathLike] = None, size: str = "1m"
) -> List[str]:
    """What to put before a command; skips the test if the kernel refuses. Without root, a user namespace helps."""
    import pytest

    words = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    words += [sys.executable, __file__]
    words += ["--pid"] if pid else []
    words += ["--read-only", str(read_only)] if read_only else []
    words += ["--tmpfs", str(tmpfs), size] if tmpfs else []
    probe = subprocess.run([*words, "true"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "Operation not permitted" in probe.stdout:
        pytest.skip(f"the kernel refuses a namespace of one's own: {probe.stdout.strip().splitlines()[-1]}")
    assert probe.returncode == 0, probe.stdout
    return words


def _call(name: str, *arguments: object) -> None:
    words = [word.encode() if isinstance(word, str) else word for word in arguments]
    if getattr(libc, name)(*words) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _make_private() -> None:
    """No mount is seen outside. The root of the namespace is reached past a chroot: what lies above the directory of
    another chroot is not closed to a process that stands there."""
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    here = os.getcwd()
    os.chdir("/")
    with tempfile.TemporaryDirectory() as other:
        os.chroot(other)
        while os.stat("..").st_ino != os.stat(".").st_ino or os.stat("..").st_dev != os.stat(".").st_dev:
            os.chdir("..")
        try:
            _call("mount", None, ".", None, MS_REC | MS_PRIVATE, None)
        finally:
            os.fchdir(root)
            os.chroot(".")
    os.chdir(here)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid", action="store_true")
    parser.add_argument("--read-only")
    parser.add_argument("--tmpfs", nargs=2)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    _call("unshare", CLONE_NEWNS | (CLONE_NEWPID if options.pid else 0))
    _make_private()
    if options.read_only:
        flags = os.statvfs(options.read_only).f_flag & KEPT_FLAGS
        _call("mount", options.read_only, options.read_only, None, MS_BIND, None)
        _call("mount", None, options.read_only, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, None)
    if options.tmpfs:
        _call("mount", "tmpfs", options.tmpfs[0], "tmpfs", 0, f"size={options.tmpfs[1]}")
    os.chdir(os.getcwd())  # what was mounted there
    if options.pid:
        child = os.fork()
        if child != 0:
            _, status = os.waitpid(child, 0)
            sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        _call("mount", "proc", "/proc", "proc", 0, None)
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
