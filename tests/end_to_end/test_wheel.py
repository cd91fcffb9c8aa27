"""The packages that people install: the wheel in fresh environments of every Python, and the Debian package."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from plugin_support import assert_clean, run, seen_by_workers, watch_coordination
from pythons import pythons
from support import clean_environment

ALL = 4


def test_holds_commands_and_plugin(wheel):
    assert re.fullmatch(r"testmon_precreate-\d+\.\d+\.\d+-py3-none-\S*linux\S*\.whl", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    for command in ("testmon-precreate", "testmon-await", "pytest-xdist-testmon"):
        assert any(name.endswith(f".data/scripts/{command}") for name in names), names
    assert "testmon_precreate/plugin.py" in names
    assert any(name.endswith("share/testmon-precreate/pytest-plugin/testmon_precreate/plugin.py") for name in names)
    assert not any(name.endswith((".a", ".hpp", ".o")) for name in names), names


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"])
def test_main_job_in_a_fresh_environment(version, wheel, venvs, commands, project, tmp_path):
    if version not in pythons():
        pytest.skip(f"NO PYTHON {version} on this machine")
    old = version in ("3.8", "3.9")
    testmon = ["pytest-testmon==2.1.3", "pytest<9"] if old else ["pytest-testmon==2.2.0"]
    venv = venvs.get(*testmon, "pytest-xdist", python=pythons()[version]).copy(tmp_path / "venv")
    venvs.install(venv, str(wheel))
    # Nothing of ours on PATH but what the wheel brought.
    environment = venv.environment(TESTMON_XDIST_CONTROLLER_PRECREATION="true")
    for command in ("testmon-precreate", "testmon-await"):
        found = shutil.which(command, path=environment["PATH"])
        assert found == str(venv.path / "bin" / command)
        assert "data versions" in subprocess.check_output([found, "--version"], text=True)
    watch_coordination(project)
    first = run(project, venv, environment, "-n", "2")
    assert (first.exit_code, first.passed) == (0, ALL), first.output
    assert seen_by_workers(project) == ["True True"] * 2
    venv.add_distribution("zzz-last", "1.0")
    changed = run(project, venv, environment, "-n", "2")
    assert (changed.exit_code, changed.passed) == (0, ALL), changed.output
    assert_clean(project, changed)
    # Installed and injected by `run` at once, through the wrapper that the wheel brought.
    again = project.run(["pytest-xdist-testmon", "--testmon", "-n", "2"], venv.environment())
    assert (again.exit_code, again.passed) == (0, 0), again.output
    assert seen_by_workers(project) == ["True True"] * 2
    assert_clean(project, again)


def test_commands_need_no_library_of_ours(wheel, tmp_path):
    """They run on a system with nothing but the C library."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    (program,) = tmp_path.glob("*.data/scripts/testmon-precreate")
    listed = subprocess.run(["ldd", str(program)], text=True, capture_output=True)
    needed = re.findall(r"^\s*(\S+?)\.so", listed.stdout, re.MULTILINE)
    allowed = {"linux-vdso", "libc", "libm", "libgcc_s", "libstdc++", "/lib64/ld-linux-x86-64"}
    assert set(needed) <= allowed, listed.stdout


def test_debian_package_installs_and_removes_cleanly(commands, venvs, project, tmp_path):
    for tool in ("cpack", "dpkg-deb", "dpkg"):
        if shutil.which(tool) is None:
            pytest.skip(f"NO {tool} on this machine")
    made = subprocess.run(
        ["cpack", "-G", "DEB", "-B", str(tmp_path / "packages"), "--config", "CPackConfig.cmake"],
        cwd=commands.build, text=True, capture_output=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (package,) = (tmp_path / "packages").glob("*.deb")
    fields = subprocess.check_output(["dpkg-deb", "--field", str(package)], text=True)
    assert "Package: testmon-precreate" in fields and "Maintainer:" in fields

    # A root and a package database of its own: this machine stays as it is.
    root = tmp_path / "root"
    for directory in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers"):
        (root / directory).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    (root / "var/lib/dpkg/available").touch()
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "--force-depends",
            "--force-bad-path", f"--log={tmp_path / 'dpkg.log'}"]
    before = files_below(root)
    subprocess.run([*dpkg, "--install", str(package)], check=True, capture_output=True)
    installed = files_below(root) - before
    assert {"usr/bin/testmon-precreate", "usr/bin/testmon-await", "usr/bin/pytest-xdist-testmon",
            "usr/share/testmon-precreate/pytest-plugin/testmon_precreate/plugin.py"} <= installed

    venv = venvs.get("pytest-testmon==2.1.3", "pytest<9", "pytest-xdist")
    path = f"{venv.path / 'bin'}:{root / 'usr/bin'}:/usr/bin:/bin"
    watch_coordination(project)
    result = project.run(["pytest-xdist-testmon", "--testmon", "-n", "2"], clean_environment(PATH=path))
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert seen_by_workers(project) == ["True True"] * 2
    assert any(name.endswith(".pyc") for name in files_below(root)), "Python wrote nothing that could be left behind"

    subprocess.run([*dpkg, "--purge", "testmon-precreate"], check=True, capture_output=True)
    left = {name for name in files_below(root) - before if not name.startswith("var/lib/dpkg/")}
    assert left == set()


def files_below(directory: Path) -> set:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}
