"""The scripts of a checkout as a newcomer meets them: help, refusals, what is missing, a build that fails."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

from plugin_support import wait_until
from support import clean_environment
from test_run import is_alive
from test_suite_process import CONFTEST as SUITE_CONFTEST

SOURCE = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.name for path in (SOURCE / "scripts").iterdir() if path.is_file() and os.access(path, os.X_OK))


class Checkout:
    """A copy of the scripts: what they build or leave is seen beside them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("scripts", ".ci"):
            shutil.copytree(SOURCE / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.stubs = path.parent / "stubs"
        self.stubs.mkdir()

    def stub(self, name: str, script: str) -> None:
        """A program that is found before the machine's."""
        (self.stubs / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.stubs / name).chmod(0o755)

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess:
        environment = clean_environment(PATH=f"{self.stubs}:{os.environ['PATH']}", **variables)
        return subprocess.run(
            [str(word) for word in words], cwd=self.path, env=environment, stdin=subprocess.DEVNULL, timeout=300, text=True,
            capture_output=True,
        )  # fmt: skip

    def common(self, script: str, **variables: str) -> subprocess.CompletedProcess:
        return self.run("bash", "-c", f"set -euo pipefail; . scripts/common.sh; {script}", "some-script", **variables)

    def files(self) -> Dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.path.rglob("*") if path.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "check out")


def refused(result: subprocess.CompletedProcess, *words: str, code: int = 2) -> None:
    """Ended with that code and one line, which has these words."""
    assert result.returncode == code, result.stdout + result.stderr
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("== [")]
    for word in words:
        assert word in line


# --- The command line ---


@pytest.mark.parametrize("script", [f"scripts/{name}" for name in SCRIPTS] + [".ci/run"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_the_scripts_own_and_does_nothing(script, option, checkout):
    before = checkout.files()
    result = checkout.run(f"./{script}", option)
    assert result.returncode == 0 and result.stderr == "", result.stderr
    text = (SOURCE / script).read_text()
    first_line = text.splitlines()[1].strip('#" ').replace("\\\\", "\\")
    assert first_line in result.stdout
    assert script in result.stdout or Path(script).name in result.stdout or script == ".ci/run"
    assert "set -e" not in result.stdout
    assert checkout.files() == before and not (checkout.path / "build").exists()


@pytest.mark.parametrize("script", [f"scripts/{name}" for name in SCRIPTS if name != "pytest-xdist-testmon"] + [".ci/run"])
def test_what_is_not_known_is_refused(script, checkout):
    result = checkout.run(f"./{script}", "--no-such-option")
    assert result.returncode == 2 and result.stdout == ""
    assert "error:" in result.stderr
    assert not (checkout.path / "build").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["bench", "startup", "no_such_benchmark"], ["check-format", "file"], ["check-shell", "file"], ["check-python", "file"],
        ["check-tidy", "no/build"], ["compatibility", "2.1.3"], ["compatibility", "--only"], ["coverage", "much"],
        ["coverage", "90", "91"], ["fuzz"], ["fuzz", "no_fuzzer"], ["fuzz", "/bin/true", "long"], ["quickstart", "a", "b"],
        ["test", "test_no_such"], ["test", "-x"], ["test", "--format", "--no-such-check"], ["wheel", "a", "b"],
        ["wheel", "a", "--help-me"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_arguments_are_checked_before_anything_is_done(words, checkout):
    refused(checkout.run(f"scripts/{words[0]}", *words[1:]), f"{words[0]}: error: ", "--help")
    assert not (checkout.path / "build").exists()


def test_the_wrapper_of_a_checkout_finds_what_was_built(checkout):
    checkout.stub("pytest", 'echo "stock $*"')
    missing = checkout.run("scripts/pytest-xdist-testmon", "-x", "--help")
    assert missing.stdout == "stock -x --help\n" and "not on PATH" in missing.stderr
    built = checkout.path / "build" / "release" / "src"
    built.mkdir(parents=True)
    (built / "testmon-precreate").symlink_to(checkout.stubs / "built")
    checkout.stub("built", 'echo "ours $*"')
    found = checkout.run("scripts/pytest-xdist-testmon", "--testmon", "-n", "2")
    assert (found.stdout, found.stderr) == ("ours run -- pytest --testmon -n 2\n", "")


# --- What is missing ---


def a_machine_without(checkout: Checkout, uid: int, *missing: str) -> None:
    names = "|".join(missing)
    checkout.stub("dpkg-query", f'case $4 in {names}) exit 1 ;; *) echo "install ok installed" ;; esac')
    checkout.stub("id", f"echo {uid}")
    checkout.stub("apt-get", 'echo "apt-get $*" >>apt.log')
    checkout.stub("sudo", "exit 1")


def test_all_missing_packages_are_told_at_once(checkout):
    a_machine_without(checkout, 1000, "cmake", "strace", "shellcheck", "clang-format")
    result = checkout.run("scripts/test", "--format")
    refused(result, "apt-get install -y --no-install-recommends cmake strace clang-format shellcheck", code=1)
    assert not (checkout.path / "apt.log").exists()


def test_root_installs_them_at_once(checkout):
    a_machine_without(checkout, 0, "one", "three")
    result = checkout.common("need_packages one two three && need_packages two")
    assert result.returncode == 0, result.stderr
    assert (checkout.path / "apt.log").read_text() == "apt-get install -y -qq --no-install-recommends one three\n"
    assert "installing 2 Debian packages: one three" in result.stderr


def test_on_a_terminal_the_user_is_asked(checkout):
    a_machine_without(checkout, 0, "one")
    for answer, code in ((b"n\n", 1), (b"\n", 0)):
        environment = {"PATH": f"{checkout.stubs}:{os.environ['PATH']}", "TERM": "dumb"}
        code_seen, output = on_a_terminal(checkout, ". scripts/common.sh; need_packages one", answer, environment)
        assert code_seen == code, output
        assert "one" in output and "[Y/n]" in output
        assert (checkout.path / "apt.log").exists() == (code == 0)


@pytest.mark.parametrize(
    "script, what",
    [
        ("need_tools; true", "PyPI into build/tools: uv pytest"),
        ("scripts/quickstart", "pytest-testmon==2.1.3 pytest-xdist"),
        ("scripts/test", "releases of pytest, testmon and xdist into build/venvs"),
    ],
)
def test_what_comes_from_pypi_is_named_before_it_is_installed(script, what, checkout):
    a_machine_without(checkout, 0, "nothing")
    checkout.stub("python3", "echo it >>installed; exit 1")
    for variables, code in (({}, "not installed"), ({"CI": "true"}, "cannot make a virtual environment")):
        environment = {"PATH": f"{checkout.stubs}:{os.environ['PATH']}", "TERM": "dumb", **variables}
        code_seen, output = on_a_terminal(checkout, f". scripts/common.sh; {script}", b"n\n", environment)
        assert code_seen == 1 and what in output and code in output, output
        assert ("[Y/n]" in output) == (not variables)
        assert (checkout.path / "installed").exists() == bool(variables)


def on_a_terminal(checkout: Checkout, script: str, answer: bytes, environment: Dict[str, str]):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(checkout.path)
        os.execvpe("bash", ["bash", "-c", script, "some-script"], environment)
    os.write(terminal, answer)
    output = b""
    try:
        while True:
            output += os.read(terminal, 1024)
    except OSError:
        pass
    return os.WEXITSTATUS(os.waitpid(pid, 0)[1]), output.decode()


# --- The build ---


@pytest.mark.parametrize("caller", ["build x", "build x || true", "if build x; then :; fi; true", "build x | cat; true"])
@pytest.mark.parametrize("failing", ["cmake", "ninja"])
def test_a_failing_build_is_never_passed_over(caller, failing, checkout):
    checkout.stub("cmake", "echo of cmake")
    checkout.stub("ninja", "echo of ninja")
    checkout.stub(failing, f"echo what {failing} says; exit 3")
    result = checkout.common(f"{caller}; echo went on >&2")
    assert f"what {failing} says" in result.stderr
    assert "some-script: error: " in result.stderr
    if "| cat" not in caller:
        assert result.returncode == 1 and "went on" not in result.stderr


def test_a_build_shows_that_it_goes_on(checkout):
    checkout.stub("cmake", "exit 0")
    checkout.stub("ninja", "[ -t 1 ] && echo on a terminal; for step in 1 2 3 4 5; do echo [$step/5]; sleep 1; done")
    result = checkout.common("build x", PROGRESS_SECONDS="2")
    assert result.returncode == 0 and result.stdout == ""
    assert 1 <= result.stderr.count("/5]") < 5, result.stderr
    environment = {"PATH": f"{checkout.stubs}:{os.environ['PATH']}", "TERM": "dumb"}
    code, output = on_a_terminal(checkout, ". scripts/common.sh; build x", b"", environment)
    assert code == 0 and "on a terminal" in output and output.count("/5]") == 5


# --- The quick start on a project of one's own ---


@pytest.fixture
def quickstart(checkout, commands):
    """With what was built; it only asks for a build."""
    checkout.stub("cmake", "exit 0")
    checkout.stub("ninja", "echo ninja >>built")
    (checkout.path / "build" / "release").mkdir(parents=True)
    (checkout.path / "build" / "release" / "src").symlink_to(commands.build / "src")

    def run(*words: str) -> subprocess.CompletedProcess:
        return checkout.run("scripts/quickstart", *words)

    return run


def test_a_project_that_is_not_there(quickstart, checkout):
    refused(quickstart("no/such project"), "quickstart: error: ", "no/such project", code=1)
    assert not (checkout.path / "built").exists()


def test_an_environment_that_lacks_something(quickstart, checkout, project, venvs):
    (project.path / ".venv").symlink_to(venvs.get("pytest-testmon==2.1.3").path)
    refused(quickstart(project.path), "missing in", "pytest-xdist", "uv pip install", code=1)
    assert not (checkout.path / "built").exists()


def test_tests_that_import_what_is_missing(quickstart, checkout, project, venvs):
    (project.path / "venv").symlink_to(venvs.get("pytest-testmon==2.1.3", "pytest-xdist").path)
    for name in ("requests", "attr.validators"):
        (project.path / "tests" / f"test_{name[:4]}.py").write_text(f"import {name}\n")
    refused(quickstart(project.path), "missing in", ": attr requests. ", "uv pip install", code=1)
    assert not (checkout.path / "built").exists()


@pytest.mark.parametrize("installable", [False, True])
def test_a_project_without_an_environment_gets_one(installable, quickstart, checkout, project, venvs):
    if installable:
        (project.path / "pytest.ini").write_text("[pytest]\n")
        (project.path / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\ndependencies = ["zipp"]\n[tool.setuptools]\npy-modules = ["shop"]\n'
        )
        (project.path / "tests" / "test_zipp.py").write_text("import zipp\n")
    result = quickstart(project.path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "4 passed" in result.stdout
    assert "no virtual environment is active" in result.stderr
    assert f"export PATH={str(checkout.path).replace(' ', chr(92) + ' ')}/build/release/src:" in result.stdout
    again = quickstart(project.path)
    assert again.returncode == 0 and "no virtual environment" not in again.stderr, again.stderr
    assert "4 passed" not in again.stdout
    assert (checkout.path / "built").exists()


# --- clang-tidy ---


def test_clang_tidy_looks_at_what_has_changed(checkout):
    """Against the branch that was left or is named, else the commit before; of a header at one source that includes it."""
    a_machine_without(checkout, 0, "nothing")
    checkout.stub("clang-tidy", 'for word; do case $word in *.cpp) echo "$word" ;; esac; done')
    (checkout.path / "build" / "release").mkdir(parents=True)
    (checkout.path / "build" / "release" / "compile_commands.json").write_text("[]")
    files = {"src/one.cpp": '#include "one.hpp"', "src/two.cpp": "#include <room/two.hpp>", "src/three.cpp": ""}
    for name, text in {**files, "src/one.hpp": "", "include/room/two.hpp": "", "src/none.hpp": ""}.items():
        (checkout.path / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.path / name).write_text(f"{text}\n")

    def commit(*changed: str) -> None:
        for name in changed:
            with (checkout.path / name).open("a") as file:
                file.write("//\n")
        user = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        assert checkout.run("git", "add", "src", "include").returncode == 0
        result = checkout.run("git", *user, "commit", "--quiet", "-m", "change")
        assert result.returncode == 0, result.stderr

    def looked_at(**variables: str) -> list:
        result = checkout.run("scripts/check-tidy", "--changed", **variables)
        assert result.returncode == 0, result.stderr
        return sorted(result.stdout.split())

    checkout.run("git", "init", "--quiet", "--initial-branch=main")
    commit()
    assert looked_at() == []  # there is nothing to compare with
    commit("src/three.cpp")
    commit("src/none.hpp", "src/one.hpp", "include/room/two.hpp")
    assert looked_at() == ["src/one.cpp", "src/two.cpp"]
    assert looked_at(CHECK_BASE="HEAD~2") == ["src/one.cpp", "src/three.cpp", "src/two.cpp"]
    checkout.run("git", "checkout", "--quiet", "-b", "branch", "HEAD~2")
    commit("src/one.cpp")
    commit("src/two.cpp")
    assert looked_at() == ["src/one.cpp", "src/two.cpp"]


# --- scripts/test ---


@pytest.fixture
def small_suite(checkout):
    """`scripts/test` over two tests; what it builds is there."""
    a_machine_without(checkout, 1000, "nothing")
    checkout.stub("cmake", "exit 0")
    checkout.stub("ninja", "exit 0")
    for directory in ("build/release/tests", "tests/end_to_end"):
        (checkout.path / directory).mkdir(parents=True)
    (checkout.path / "build" / "tools").symlink_to(Path(sys.executable).parents[1])
    unit_tests = checkout.path / "build" / "release" / "tests" / "unit_tests"
    unit_tests.write_text(
        "#!/bin/sh\necho '[doctest] test cases: 5 | 5 passed | 0 failed | 0 skipped'\necho '[doctest] Status: SUCCESS!'\n"
    )
    unit_tests.chmod(0o755)
    tests = checkout.path / "tests" / "end_to_end"
    shutil.copy(SOURCE / "tests" / "end_to_end" / "pythons.py", tests)
    (tests / "test_one.py").write_text(
        "import pytest\n\ndef test_passes():\n    pass\n\n@pytest.mark.skip('NO PYTHON 3.8 here')\ndef test_skipped():\n    pass\n"
    )
    (tests / "test_two.py").write_text("def test_passes():\n    pass\n")
    return tests


def test_the_counts_are_the_very_last_line(checkout, small_suite):
    result = checkout.run("scripts/test", PYENV_ROOT="/no/such/directory")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[-1] == "7 passed, 0 failed, 1 skipped"
    closing = "\n".join(lines[-8:])
    assert "Not tested here: tests/end_to_end/test_one.py:6: NO PYTHON 3.8 here" in closing
    assert "Not tested here: Python 3.8" in closing
    assert "Kept for the next run: build (" in closing and "To remove it: " in closing


@pytest.mark.parametrize(
    "words, passed",
    [(["test_two"], 6), (["test_two.py", "test_one"], 7), (["tests/end_to_end/test_one.py::test_passes"], 6), (["-k", "passes"], 7),
     (["--", "-k", "nothing or passes"], 7)],
)  # fmt: skip
def test_some_tests_only(words, passed, checkout, small_suite):
    result = checkout.run("scripts/test", *words)
    assert result.returncode == 0 and f"\n{passed} passed, 0 failed, " in result.stdout, result.stdout + result.stderr


@pytest.mark.parametrize(
    "test", ["def test_fails():\n    assert False\n", "import no_such_module\n", "import os\nos._exit(0)\n",
    "def test_stops():\n    import pytest\n    pytest.exit('interrupted')\n"],
    ids=["failure", "error", "death", "interruption"],
)  # fmt: skip
def test_failures_are_counted(test, checkout, small_suite):
    (small_suite / "test_bad.py").write_text(test)
    result = checkout.run("scripts/test")
    assert result.returncode == 1, result.stdout
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed, \d+ skipped", result.stdout.splitlines()[-1])
    assert counts and int(counts[2]) > 0, result.stdout


def test_ended_by_sigterm_it_leaves_no_pytest_behind(checkout, small_suite, tmp_path):
    shutil.copy(SOURCE / "tests" / "end_to_end" / "suite_process.py", small_suite)
    (small_suite / "conftest.py").write_text(SUITE_CONFTEST)
    (small_suite / "test_slow.py").write_text(
        "import os, pathlib, time\n\ndef test_slow():\n"
        "    pathlib.Path('pids').write_text(f'{os.getpid()} {os.getppid()} ')\n    time.sleep(120)\n"
    )
    environment = clean_environment(PATH=f"{checkout.stubs}:{os.environ['PATH']}")
    process = subprocess.Popen(
        ["scripts/test", "test_slow"], cwd=checkout.path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    pids = checkout.path / "pids"
    wait_until(lambda: pids.exists() and pids.read_text().endswith(" "))
    process.terminate()
    process.wait(timeout=60)
    wait_until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), seconds=30)


# --- ctest ---


def test_ctest_knows_the_tests(commands):
    result = commands.run("ctest", "--test-dir", commands.build, "--show-only=json-v1", cwd=SOURCE)
    names = {test["name"] for test in json.loads(result.stdout)["tests"]}
    rooms = {path.parent.name for path in (SOURCE / "tests").glob("*/*_test.cpp")}
    files = {path.stem for path in (SOURCE / "tests" / "end_to_end").glob("test_*.py")}
    assert names == {f"unit.{room}" for room in rooms} | {f"end_to_end.{file}" for file in files}
    result = commands.run("ctest", "--test-dir", commands.build, "-V", "-R", "^unit.core$", cwd=SOURCE)
    assert result.returncode == 0, result.stdout
    cases = re.search(r"test cases: +(\d+) \| +(\d+) passed \| 0 failed \| (\d+) skipped", result.stdout)
    assert cases and int(cases[2]) > 0 and int(cases[3]) > 0, result.stdout


# --- The README ---


def test_waiting_at_an_interactive_shell_does_not_close_it(commands, tmp_path):
    lines = (SOURCE / "README.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if "state=$(testmon-await" in line)
    pasted = "\n".join(lines[start : lines.index("fi", start) + 1])
    environment = clean_environment(PATH=commands.path, TESTMON_XDIST_WORKER_TIMEOUT="0")
    result = subprocess.run(
        ["bash", "--norc", "-i"], input=f"{pasted}\necho still $((40 + 2))\n", cwd=tmp_path, env=environment, text=True,
        capture_output=True, start_new_session=True, timeout=60,
    )  # fmt: skip
    assert "still 42" in result.stdout and "no state file" in result.stderr, result.stderr
