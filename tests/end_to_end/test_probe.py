"""The probe of an interpreter: what it finds is what a pytest process has, and clear errors."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest
from support import Venv, Venvs, clean_environment

TESTMON = "pytest-testmon==2.1.3"


class Prober:
    """Probes one virtual environment."""

    def __init__(self, driver: str, venv: Venv, directory: Path) -> None:
        self.driver = driver
        self.venv = venv
        self.directory = directory
        self.working_directory = directory / "project"
        self.working_directory.mkdir()
        self.variables: Dict[str, str] = {"HOME": str(directory)}

    def run(self, **more: Any) -> subprocess.CompletedProcess:
        request = {"interpreter": self.venv.python, "working_directory": str(self.working_directory), **more}
        return subprocess.run(
            [self.driver, "probe"], input=json.dumps(request), env=clean_environment(**self.variables), text=True,
            capture_output=True, timeout=100,
        )  # fmt: skip

    def __call__(self, **more: Any) -> Dict[str, Any]:
        result = self.run(**more)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture(scope="session")
def driver(commands) -> str:
    return str(commands.build / "tests" / "python" / "environment_key")


@pytest.fixture
def prober(driver: str, venvs: Venvs, tmp_path: Path) -> Prober:
    # Not Venv.copy, whose hard links would carry what a test writes into the environment of all.
    shutil.copytree(venvs.get(TESTMON).path, tmp_path / "venv", symlinks=True)
    return Prober(driver, Venv(tmp_path / "venv"), tmp_path)


def test_expression_names_the_environment(prober: Prober):
    prober.variables["KIND"] = "one"
    assert prober(environment_expression="os.environ['KIND']")["environment_name"] == "one"
    assert prober(environment_expression="os.environ['NONE']")["environment_name"] == "KeyError('NONE')"
    assert prober(environment_expression="chr(0xdcff) + '\u00e9'")["environment_name"] == "\\udcff\u00e9"
    named = prober(environment_expression="sys.exit(3)", environment_name="given")
    assert named["environment_name"] == "given"
    assert prober()["environment_name"] == "default"


def test_additions_of_the_configuration_come_first(prober: Prober):
    assert prober(sys_path_additions=["/first", "/second"])["sys_path"][:2] == ["/first", "/second"]


def test_start_up_code_is_followed(prober: Prober):
    (prober.venv.site_packages / "code.pth").write_text("import os, sys; sys.path.append(os.environ['MINE'])\n")
    prober.variables["MINE"] = "/mine"
    assert "/mine" in prober()["sys_path"]


def test_modules_of_the_working_directory_do_no_harm(prober: Prober):
    for name in ("json", "os", "hashlib", "importlib", "encodings", "testmon"):
        (prober.working_directory / f"{name}.py").write_text("raise SystemExit('imported by chance')\n")
    answer = prober(environment_expression="md5('x')")
    assert answer["environment_name"] == "9dd4e461268c8034f5c8564e155c67a6"
    assert str(prober.working_directory) not in answer["sys_path"]


def test_sys_path_is_that_of_a_pytest_process(prober: Prober):
    """All but the directory of the script `pytest`, which the interpreter puts first."""
    (prober.working_directory / "plugin_that_prints.py").write_text(
        "import sys\n\n\ndef pytest_configure(config):\n    print('PATH', '|'.join(sys.path))\n"
    )
    (prober.working_directory / "pytest.ini").write_text("[pytest]\n")
    arguments = ["-p", "plugin_that_prints", "--collect-only", "-q"]
    prober.variables["PYTHONPATH"] = "."
    pytest_script = str(Path(prober.venv.python).with_name("pytest"))
    run = subprocess.run(
        [prober.venv.python, pytest_script, *arguments], cwd=prober.working_directory, env=clean_environment(**prober.variables), text=True,
        capture_output=True,
    )  # fmt: skip
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("PATH ")]
    assert line[len("PATH ") :].split("|")[1:] == prober()["sys_path"]


# --- Errors ---


def fails(prober: Prober, *words: str, **more: Any) -> None:
    result = prober.run(**more)
    assert result.returncode == 10 and result.stdout == ""
    assert result.stderr.startswith("EnvironmentProbeError: ")
    for word in words:
        assert word in result.stderr, result.stderr


def test_interpreter_without_testmon_is_named_with_the_remedy(driver, venvs, tmp_path):
    uv_made, with_pip = venvs.get(), venvs.get("pip")
    prober = Prober(driver, uv_made, tmp_path)
    fails(prober, "no pytest-testmon", f"`uv pip install --python '{uv_made.python}' pytest-testmon`")
    prober.venv = with_pip
    fails(prober, f"`'{with_pip.python}' -m pip install pytest-testmon`")


def test_remedy_where_pip_may_not_install(driver, venvs, tmp_path):
    """As on Debian 12: no virtual environment, no pip or one that refuses."""
    system = tmp_path / "usr"
    (system / "bin").mkdir(parents=True)
    python = system / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec "{venvs.get().python}" "$@"\n')
    python.chmod(0o755)
    remedy = f"`'{python}' -m venv .venv && .venv/bin/pip install pytest-testmon pytest-xdist`"
    prober = Prober(driver, venvs.get(), tmp_path)
    fails(prober, "no pytest-testmon", remedy, interpreter=str(python))
    library = system / "lib" / "python3.11"
    (library / "site-packages" / "pip").mkdir(parents=True)
    (library / "EXTERNALLY-MANAGED").touch()
    fails(prober, remedy, interpreter=str(python))
    (library / "EXTERNALLY-MANAGED").unlink()
    fails(prober, f"`'{python}' -m pip install pytest-testmon`", interpreter=str(python))


@pytest.mark.parametrize("release", ["2.0.14", "2.0.15"])
def test_release_that_cannot_work_is_named(prober: Prober, release: str):
    (prober.venv.site_packages / "testmon" / "__init__.py").write_text(f'VERSION = "{release}"\n')
    fails(prober, release, "read-only", "2.1.1 or newer")


def test_version_comes_from_the_metadata_where_the_module_has_none(prober: Prober):
    (prober.venv.site_packages / "testmon" / "__init__.py").write_text("")
    assert prober()["testmon_version"] == "2.1.3"


def test_failing_interpreter_is_quoted(prober: Prober):
    (prober.venv.site_packages / "broken.pth").write_text("import sys; sys.exit('no start today')\n")
    fails(prober, "exit code 1", "no start today", prober.venv.python)


def test_expression_that_ends_the_interpreter(prober: Prober):
    fails(prober, "exit code 3", environment_expression="sys.exit(3)")


def test_program_that_is_no_interpreter(prober: Prober):
    fails(prober, "did not answer", "/bin/echo", interpreter="/bin/echo")
    fails(prober, "cannot be started", "/absent/python", interpreter="/absent/python")


def test_interpreter_that_is_too_old(prober: Prober):
    old = prober.directory / "python"
    facts = '{"python_version": "3.7.16", "testmon_version": "", "sys_path": []}'
    old.write_text(f"#!/bin/sh\necho\necho 'testmon-precreate-probe:{facts}'\n")
    old.chmod(0o755)
    fails(prober, "too old", "3.7.16", interpreter=str(old))


@pytest.mark.parametrize("minor", ["2.7", "3.6", "3.7"])
def test_real_interpreter_that_is_too_old(prober: Prober, minor: str):
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/{minor}*/bin/python"))
    if not found:
        pytest.skip(f"this machine has no Python {minor}")
    fails(prober, "too old", minor, interpreter=str(found[0]))

