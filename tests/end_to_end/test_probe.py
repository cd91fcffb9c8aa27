"""The probe of an interpreter: one start at most, none where the cache proves it needless, clear errors."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
from support import Venv, Venvs, clean_environment

TESTMON = "pytest-testmon==2.1.3"


class Prober:
    """Probes one virtual environment with one cache directory."""

    def __init__(self, driver: str, venv: Venv, directory: Path) -> None:
        self.driver = driver
        self.venv = venv
        self.directory = directory
        self.cache = directory / "cache"
        self.working_directory = directory / "project"
        self.working_directory.mkdir()
        self.variables: Dict[str, str] = {"HOME": str(directory), "XDG_CACHE_HOME": str(self.cache)}

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

    def warm(self, **more: Any) -> Dict[str, Any]:
        """Probes until what changed is old enough to be trusted, then shows that no interpreter is started."""
        time.sleep(2.1)
        cold = self(**more)
        warm = self(**more)
        assert cold["interpreter_started"] and not warm["interpreter_started"]
        assert {**cold, "interpreter_started": False} == warm
        return warm

    def files(self) -> list:
        return sorted((self.cache / "testmon-precreate").glob("probe-*.json"))


@pytest.fixture(scope="session")
def driver(commands) -> str:
    return str(commands.build / "tests" / "python" / "environment_key")


@pytest.fixture
def prober(driver: str, venvs: Venvs, tmp_path: Path) -> Prober:
    # Not Venv.copy: hard links that other tests make of the same files change their change times.
    shutil.copytree(venvs.get(TESTMON).path, tmp_path / "venv", symlinks=True)
    return Prober(driver, Venv(tmp_path / "venv"), tmp_path)


# --- Changes that a kept answer must not survive ---


def new_pth(prober: Prober) -> None:
    (prober.venv.site_packages / "added.pth").write_text(f"{prober.directory}\n")


def edited_pth(prober: Prober) -> None:
    (prober.venv.site_packages / "kept.pth").write_text(f"{prober.directory}\n")


def directory_that_a_pth_names(prober: Prober) -> None:
    (prober.directory / "later").mkdir()


def new_distribution(prober: Prober) -> None:
    prober.venv.add_distribution("added", "1.0")


def other_testmon(prober: Prober) -> None:
    (prober.venv.site_packages / "testmon" / "__init__.py").write_text('TESTMON_VERSION = "2.1.4"\n')


def system_site_packages(prober: Prober) -> None:
    configuration = prober.venv.path / "pyvenv.cfg"
    configuration.write_text(configuration.read_text().replace("false", "true"))


def python_path(prober: Prober) -> None:
    prober.variables["PYTHONPATH"] = str(prober.directory)


def no_user_site(prober: Prober) -> None:
    prober.variables["PYTHONNOUSERSITE"] = "1"


def other_home(prober: Prober) -> None:
    prober.variables["HOME"] = str(prober.directory / "elsewhere")


def other_working_directory(prober: Prober) -> None:
    prober.working_directory = prober.directory


def interpreter_replaced(prober: Prober) -> None:
    python = Path(prober.venv.python)
    target = python.resolve()
    python.unlink()
    shutil.copy(target, python)


def truncated_cache(prober: Prober) -> None:
    for file in prober.files():
        file.write_text(file.read_text()[: len(file.read_text()) // 2])


def garbage_cache(prober: Prober) -> None:
    for file in prober.files():
        file.write_bytes(b"\xff\x00[1, {}]")


def cache_of_another_shape(prober: Prober) -> None:
    for file in prober.files():
        entry = json.loads(file.read_text())
        file.write_text(json.dumps({**entry, "stamps": [[7, 8], "x"], "sys_path": 5}))


def emptied_proof(prober: Prober) -> None:
    for file in prober.files():
        file.write_text(json.dumps({**json.loads(file.read_text()), "stamps": []}))


def cache_that_others_can_write(prober: Prober) -> None:
    for file in prober.files():
        file.chmod(0o666)


def cache_is_a_link(prober: Prober) -> None:
    for file in prober.files():
        file.rename(file.with_suffix(".moved"))
        file.symlink_to(file.with_suffix(".moved"))


CHANGES = [
    new_pth, edited_pth, directory_that_a_pth_names, new_distribution, other_testmon, system_site_packages, python_path,
    no_user_site, other_home, other_working_directory, interpreter_replaced, truncated_cache, garbage_cache,
    cache_of_another_shape, emptied_proof, cache_that_others_can_write, cache_is_a_link,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_change_makes_the_interpreter_answer_again(prober: Prober, change: Callable[[Prober], None]):
    (prober.venv.site_packages / "kept.pth").write_text(f"# a comment\n{prober.directory / 'later'}\n")
    prober.warm()
    change(prober)
    answer = prober()
    assert answer["interpreter_started"]
    prober.variables["XDG_CACHE_HOME"] = str(prober.directory / "other-cache")
    assert prober() == answer


def test_module_that_would_be_imported_at_start_up_is_noticed(prober: Prober):
    prober.variables["PYTHONPATH"] = str(prober.working_directory)
    prober.warm()
    (prober.working_directory / "test_more.py").write_text("")
    assert not prober()["interpreter_started"]
    (prober.working_directory / "sitecustomize.py").write_text("import sys\nsys.path.append('/from-sitecustomize')\n")
    for _ in range(2):
        answer = prober()
        assert answer["interpreter_started"]  # its code could look anywhere: never kept
        assert "/from-sitecustomize" in answer["sys_path"]


def test_unknown_code_in_a_pth_file_is_never_kept(prober: Prober):
    (prober.venv.site_packages / "code.pth").write_text("import os, sys; sys.path.append(os.environ.get('MINE', '/none'))\n")
    time.sleep(2.1)
    assert "/none" in prober()["sys_path"]
    prober.variables["MINE"] = "/mine"
    answer = prober()
    assert answer["interpreter_started"] and "/mine" in answer["sys_path"]
    assert prober.files() == []


def test_wrapper_script_is_never_kept(prober: Prober):
    wrapper = prober.directory / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{prober.venv.python}" "$@"\n')
    wrapper.chmod(0o755)
    time.sleep(2.1)
    for _ in range(2):
        assert prober(interpreter=str(wrapper))["interpreter_started"]


def test_expression_is_evaluated_every_time(prober: Prober):
    prober.warm()
    for value in ("one", "two"):
        prober.variables["KIND"] = value
        answer = prober(environment_expression="os.environ['KIND']")
        assert answer["interpreter_started"] and answer["environment_name"] == value
    named = prober(environment_expression="os.environ['KIND']", environment_name="given")
    assert named["environment_name"] == "given" and not named["interpreter_started"]


def test_young_files_are_not_trusted(prober: Prober):
    new_pth(prober)
    assert prober()["interpreter_started"] and prober()["interpreter_started"]
    assert prober.files() == []


def test_additions_of_the_configuration_are_part_of_the_key(prober: Prober):
    first = prober.warm(sys_path_additions=["/first"])
    assert first["sys_path"][0] == "/first"
    assert prober(sys_path_additions=["/second"])["sys_path"][0] == "/second"
    assert not prober(sys_path_additions=["/first"])["interpreter_started"]


def test_cache_is_private_and_stays_small(prober: Prober):
    time.sleep(2.1)
    for i in range(70):
        prober(sys_path_additions=[f"/addition-{i}"])
    assert len(prober.files()) == 64
    assert {stat.S_IMODE(file.stat().st_mode) for file in prober.files()} == {0o600}
    assert stat.S_IMODE(prober.files()[0].parent.stat().st_mode) == 0o700
    assert not [name for name in os.listdir(prober.files()[0].parent) if name.endswith(".tmp")]


@pytest.mark.parametrize("variables", [{"XDG_CACHE_HOME": "/proc/none"}, {"XDG_CACHE_HOME": "relative"}])
def test_cache_that_cannot_be_written_is_no_error(prober: Prober, variables: Dict[str, str]):
    prober.variables.update(variables)
    time.sleep(2.1)
    assert prober()["interpreter_started"]
    assert not (prober.working_directory / "relative").exists()


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
    time.sleep(2.1)
    for _ in range(2):
        answer = prober()
        assert answer["testmon_version"] == "2.1.3" and answer["interpreter_started"]


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
    old.write_text("#!/bin/sh\nprintf '\\ntestmon-precreate-probe:6:3.7.16,\\n'\n")
    old.chmod(0o755)
    fails(prober, "too old", "3.7.16", interpreter=str(old))


@pytest.mark.parametrize("minor", ["2.7", "3.6", "3.7"])
def test_real_interpreter_that_is_too_old(prober: Prober, minor: str):
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/{minor}*/bin/python"))
    if not found:
        pytest.skip(f"this machine has no Python {minor}")
    fails(prober, "too old", minor, interpreter=str(found[0]))

