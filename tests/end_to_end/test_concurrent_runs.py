"""Several runs of one project at once: each selects from a consistent file, and all that they learn is kept.

CONCURRENT_RUNS (4) and CONCURRENT_ROUNDS (2) make the random test larger.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from plugin_support import MIDDLE, NEW, assert_clean, end, plugin_environment, run, start_slow_run
from pythons import python_of
from support import Project, chosen_seed
from test_plugin_fallback import fake_commands

ALL = 4
RUNS = int(os.environ.get("CONCURRENT_RUNS", "4"))
ROUNDS = int(os.environ.get("CONCURRENT_ROUNDS", "2"))
RELEASES = pytest.mark.parametrize(
    "requirements, python", [(MIDDLE, "3.9"), (NEW, None)], ids=["testmon-2.1.3", "testmon-2.2.0"]
)
PRICES = ["tests/test_price_0.py", "tests/test_price_1.py"]


@pytest.fixture
def venv(requirements, python, venvs):
    return venvs.get(*requirements, python=python and python_of(python))


def end_slow_run(process: subprocess.Popen) -> str:
    """By Ctrl-C, after which xdist ends its workers."""
    return end(process, signal.SIGINT)


def remove_slow_test(project: Project) -> None:
    (project.path / "tests" / "test_slow.py").unlink()
    (project.path / "running").unlink()


@RELEASES
@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run_beside_another_one_is_recorded_too(workers, venv, commands, project):
    environment = plugin_environment(venv, commands)
    command = [venv.python, "-m", "pytest", "--testmon", "-n", "2", "tests/test_slow.py"]
    process = start_slow_run(project, venv, environment, *command)
    state = project.path / ".testmon_xdist" / "controller_ready.json"
    before = state.read_text()
    second = run(project, venv, environment, "-n", workers, *PRICES)
    assert (second.exit_code, second.passed) == (0, ALL), second.output
    assert "testmon-precreate" not in second.output, second.output
    assert state.read_text() == before
    end_slow_run(process)
    assert_clean(project)
    remove_slow_test(project)
    third = run(project, venv, environment, "-n", "2", *PRICES)
    assert (third.exit_code, third.passed) == (0, 0), third.output
    project.edit_function(0)
    fourth = run(project, venv, environment, "-n", "2", *PRICES)
    assert (fourth.exit_code, fourth.passed) == (0, 2), fourth.output


@RELEASES
def test_the_run_that_came_second_may_end_last(venv, commands, project):
    environment = plugin_environment(venv, commands)
    first = start_slow_run(project, venv, environment)
    (project.path / "running").unlink()
    second = start_slow_run(project, venv, environment)
    end_slow_run(first)
    end_slow_run(second)
    assert_clean(project)


@RELEASES
def test_what_a_killed_run_has_recorded_is_merged_and_told(venv, commands, project):
    environment = plugin_environment(venv, commands)
    first = start_slow_run(project, venv, environment)
    (project.path / "tests" / "test_kill.py").write_text(
        "import os, signal, time\n\n\ndef test_kill():\n    time.sleep(1)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = run(project, venv, environment, "-n", "0", *PRICES, "tests/test_kill.py")
    assert killed.exit_code == -signal.SIGKILL
    assert "what a run that was killed has recorded is merged into" in end_slow_run(first)
    remove_slow_test(project)
    (project.path / "tests" / "test_kill.py").unlink()
    result = run(project, venv, environment, "-n", "2")
    assert result.exit_code == 0, result.output
    assert not (project.path / ".testmon_xdist").exists()
    assert run(project, venv, environment, "-n", "2").passed == 0


@RELEASES
def test_a_step_that_cannot_go_beside_a_run_says_so(venv, commands, project):
    process = start_slow_run(project, venv, plugin_environment(venv, commands))
    prepared = commands.run(commands.precreate, "prepare", cwd=project.path, env=venv.environment(commands))
    assert prepared.returncode == 9 and "is still in progress" in prepared.stderr
    end_slow_run(process)
    assert_clean(project)


@RELEASES
def test_workers_use_the_snapshot_though_they_do_not_see_the_state(venv, commands, project, tmp_path):
    """A worker that read the project's own file instead would collect other tests than the next one."""
    environment = plugin_environment(venv, commands, TESTMON_XDIST_WORKERS="fixed")
    assert run(project, venv, environment, "-n", "2").passed == ALL
    (project.path / "conftest.py").write_text(
        "import os, pathlib, pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_configure(config):\n"
        "    worker = os.environ.get('PYTEST_XDIST_WORKER')\n    if worker:\n"
        "        opened = config.testmon_data.db.con.execute('PRAGMA database_list').fetchone()[2]\n"
        "        pathlib.Path(__file__).with_name(worker + '.opened').write_text(opened)\n"
    )
    directory = fake_commands(
        tmp_path / "bin", commands, testmon_await="echo 'testmon-await: error: too bad' >&2; exit 4"
    )
    result = run(project, venv, {**environment, "TESTMON_XDIST_BIN_DIR": directory}, "-n", "2", "--testmon-nocollect")
    assert result.exit_code == 0 and "too bad" in result.output, result.output
    opened = [path.read_text() for path in project.path.glob("gw*.opened")]
    assert len(opened) == 2 and all("/.testmon_xdist/run-" in path for path in opened), opened


def leave_place(project: Project, number: int, age_in_days: float, content: bytes = b"no database" * 100) -> Path:
    """As of a run that has ended, and whose data cannot be merged."""
    place = project.path / ".testmon_xdist" / f"done-{number:06}"
    place.mkdir(parents=True, mode=0o700)
    (project.path / ".testmon_xdist").chmod(0o700)
    (place / ".testmondata").write_bytes(content)
    (place / ".to-merge").touch()
    began = time.time() - age_in_days * 24 * 3600
    os.utime(place / ".to-merge", (began, began))
    return place


@RELEASES
def test_what_cannot_be_merged_stops_no_run_and_does_not_fill_the_disk(venv, commands, project):
    environment = plugin_environment(venv, commands)
    places = [leave_place(project, number, number / 10) for number in range(20)]
    old = leave_place(project, 99, 8)
    result = run(project, venv, environment, "-n", "2")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "is not merged yet" in result.output
    assert not old.exists()
    assert [place.exists() for place in places] == [True] * 16 + [False] * 4


@pytest.mark.parametrize("mebibytes", [0, 100])
def test_a_clean_up_has_the_time_that_merging_needs(mebibytes, venvs, commands, project, tmp_path):
    """The command takes two seconds, and may take half of one and a second for each MiB that it could have to merge."""
    venv = venvs.get(*NEW)
    (project.path / "conftest.py").write_text(
        "import testmon_precreate.cleanup\n\ntestmon_precreate.cleanup.CLEANUP_SECONDS = 0.5\n"
    )
    place = leave_place(project, 1, 0)
    os.truncate(place / ".testmondata", mebibytes * 2**20)
    real = commands.build / "src" / "testmon-precreate"
    directory = fake_commands(
        tmp_path / "bin", commands, testmon_precreate=f'[ "$1" != cleanup ] || sleep 2\nexec {real} "$@"'
    )
    environment = plugin_environment(venv, commands, TESTMON_XDIST_BIN_DIR=directory)
    result = run(project, venv, environment, "-n", "0")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert ("timed out" in result.output) == (mebibytes == 0), result.output


def edit(project: Project, rng: random.Random) -> None:
    module = project.path / "shop.py"
    lines = module.read_text().splitlines()
    index = rng.choice([i for i, line in enumerate(lines) if line.startswith("    return")])
    lines.insert(index, f"    unused = {rng.random()}")
    module.write_text("\n".join(lines) + "\n")


@RELEASES
def test_random_rounds(requirements, venv, commands, tmp_path):
    """Each round edits, starts several runs of subsets at once and kills one of them. Then one more run executes only
    what no run has executed, and after it nothing is left to run."""
    seed = chosen_seed()
    rng = random.Random(seed)
    files = 6
    project = Project.sample(tmp_path / "project", test_files=files)
    # Long enough for runs to overlap, short enough for a round; each run writes down what it has executed.
    (project.path / "conftest.py").write_text(
        "import os, time, pytest\n\n\n@pytest.fixture(autouse=True)\ndef slow(request):\n    time.sleep(0.1)\n    yield\n"
        "    with open(os.environ['EXECUTED'], 'a') as file:\n        file.write(request.node.nodeid + '\\n')\n"
    )

    def executed(name) -> set:
        path = tmp_path / name
        return set(path.read_text().split("\n")[:-1]) if path.exists() else set()

    def environment_for(name) -> dict:
        if (tmp_path / name).exists():
            (tmp_path / name).unlink()
        return {**environment, "EXECUTED": str(tmp_path / name)}
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment_for("first"), "-n", "2").passed == 2 * files
    for round_number in range(ROUNDS):
        edit(project, rng)
        processes = []
        for number in range(RUNS):
            subset = rng.sample([f"tests/test_price_{i}.py" for i in range(files)], rng.choice([2, 4, files]))
            command = [venv.python, "-m", "pytest", "--testmon", "-n", str(rng.choice([0, 2, 4])), *sorted(subset)]
            processes.append(
                subprocess.Popen(
                    command, cwd=project.path, env=environment_for(f"run-{number}"), text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                )
            )  # fmt: skip
            time.sleep(rng.random() / 2)
        killed = rng.choice(processes)
        time.sleep(rng.random() * 2)
        try:
            os.killpg(killed.pid, signal.SIGKILL)
        except ProcessLookupError:  # it was faster
            pass
        for process in processes:
            output = process.communicate(timeout=120)[0]
            if process is not killed:
                assert process.returncode == 0, (seed, round_number, output)
                assert "the run goes on without it" not in output, (seed, round_number, output)
        known = set()
        for number, process in enumerate(processes):
            known |= executed(f"run-{number}") if process is not killed else set()
        rest = run(project, venv, environment_for("rest"), "-n", "2")
        assert rest.exit_code == 0, (seed, round_number, rest.output)
        assert executed("rest") & known == set(), (seed, round_number, rest.output)
        again = run(project, venv, environment_for("again"), "-n", "2")
        assert (again.exit_code, again.passed) == (0, 0), (seed, round_number, again.output)
        assert not (project.path / ".testmon_xdist").exists(), seed
        connection = sqlite3.connect(project.datafile)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
