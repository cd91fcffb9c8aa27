"""`testmon-precreate run`, `plugin-path` and the wrapper script."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess

import pytest

from namespaces import namespace
from plugin_support import (
    MIDDLE,
    NEW,
    assert_clean,
    end,
    seen_by_workers,
    start_slow_run,
    wait_until,
    watch_coordination,
)
from pythons import python_of
from support import Project

ALL = 4


def test_main_job(venvs, commands, project, tmp_path):
    venv = venvs.get(*MIDDLE, python=python_of("3.9")).copy(tmp_path / "venv")
    watch_coordination(project)
    environment = venv.environment()
    command = [commands.precreate, "run", "--", "pytest", "--testmon", "-n", "2"]
    first = project.run(command, environment)
    assert (first.exit_code, first.passed) == (0, ALL), first.output
    assert seen_by_workers(project) == ["True True"] * 2
    assert_clean(project, first)
    venv.add_distribution("zzz-last", "1.0")
    changed = project.run([commands.wrapper, "--testmon", "-n", "2"], venv.environment(commands))
    assert (changed.exit_code, changed.passed) == (0, ALL), changed.output
    module = [commands.precreate, "run", "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"]
    again = project.run(module, environment)
    assert (again.exit_code, again.passed) == (0, 0), again.output
    assert_clean(project, again)


def test_wrapper_calls_another_pytest(venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = venv.environment(commands, PYTEST=f"{venv.python} -m pytest")
    result = project.run([commands.wrapper, "--testmon", "-n", "2", "-v"], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "testmon-precreate: environment default created" in result.output


def test_exit_codes_are_the_commands_own(commands, tmp_path):
    def code(*words: str) -> int:
        return commands.run(commands.precreate, "run", "--", *words, cwd=tmp_path).returncode

    assert code("sh", "-c", "exit 0") == 0
    assert code("sh", "-c", "exit 7") == 7
    assert code("sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL
    assert code("sh", "-c", "kill -TERM $$") == 128 + signal.SIGTERM
    assert code("/no/such/command") == 127
    assert code(str(tmp_path)) == 126


def test_without_a_command_it_is_a_usage_error(commands, tmp_path):
    for words in ([], ["--"]):
        result = commands.run(commands.precreate, "run", *words, cwd=tmp_path)
        assert result.returncode == 2
        assert "no command was given" in result.stderr


def test_a_command_that_hides_its_pytest_is_prepared_ahead(venvs, commands, project):
    """And the plugin in the pytest inside takes the directory over from `run`."""
    venv = venvs.get(*NEW)
    watch_coordination(project)
    environment = venv.environment()
    script = f"{commands.await_} --get environment_id && exec pytest --testmon -n 2 -v"
    words = ["run", "--python", venv.python, "--", "sh", "-c", script]
    result = project.run([commands.precreate, *words], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert result.output.splitlines()[0].isdigit()
    assert "environment default reused in" in result.output
    assert seen_by_workers(project) == ["True True"] * 2
    assert "Warning" not in result.output
    assert not (project.path / ".testmon_xdist").exists()


@pytest.mark.parametrize("options", [[], ["--strict"]], ids=str)
def test_nothing_is_prepared_for_an_interpreter_that_is_only_guessed(options, venvs, commands, project):
    """`make test` may use another testmon than the first Python on PATH, which would convert the data file."""
    assert project.run(["pytest", "--testmon"], venvs.get(*MIDDLE).environment()).exit_code == 0
    before = project.datafile.read_bytes()
    words = ["run", *options, "--", "sh", "-c", "test ! -e .testmon_xdist"]
    result = project.run([commands.precreate, *words], venvs.get(*NEW).environment())
    assert (result.exit_code, result.output) == (0, "")
    assert project.datafile.read_bytes() == before


def test_strict_stops_where_the_preparation_fails(venvs, commands, project):
    venv = venvs.get(*NEW)
    project.datafile.write_text("this is not a database, and long enough to be seen as none" * 20)
    words = ["--", "sh", "-c", "touch started"]
    strict = commands.run(commands.precreate, "run", "--strict", *words, cwd=project.path, env=venv.environment())
    assert strict.returncode == 8, strict.stderr
    assert not (project.path / "started").exists()
    lenient_words = ["run", "--python", venv.python, *words]
    lenient = commands.run(commands.precreate, *lenient_words, cwd=project.path, env=venv.environment())
    assert lenient.returncode == 0
    assert (project.path / "started").exists()
    assert lenient.stderr.count("warning:") == 1
    as_pytest = [commands.precreate, "run", "--strict", "--", "pytest", "--testmon", "-n", "2"]
    assert project.run(as_pytest, venv.environment()).exit_code == 8


def test_strict_holds_inside_pytest_too(venvs, commands, project):
    """What only the live process can find out stops a strict run with the same exit code."""
    venv = venvs.get(*NEW)
    (project.path / "conftest.py").write_text(
        "import os, pathlib\nif 'PYTEST_XDIST_WORKER' not in os.environ:\n"
        "    pathlib.Path(__file__).with_name('.testmondata').write_text('no database at all ' * 100)\n"
    )
    command = [commands.precreate, "run", "--strict", "--", "pytest", "--testmon", "-n", "2"]
    result = project.run(command, venv.environment())
    assert result.exit_code == 8, result.output


def test_switched_off_it_runs_the_command_and_nothing_else(venvs, commands, project):
    venv = venvs.get(*NEW)
    watch_coordination(project)
    environment = venv.environment(TESTMON_XDIST_CONTROLLER_PRECREATION="false")
    result = project.run([commands.precreate, "run", "--", "pytest", "--testmon", "-n", "2"], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert set(seen_by_workers(project)) == {"False False"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signals_reach_pytest(number, venvs, commands, project):
    venv = venvs.get(*NEW)
    command = (commands.wrapper, "--testmon", "-n", "2")
    process = start_slow_run(project, venv, venv.environment(commands), *command)
    output = end(process, number)
    assert process.returncode == (2 if number == signal.SIGINT else 128 + number), output
    assert_clean(project)


def test_a_killed_pytest_leaves_nothing_behind(venvs, commands, project):
    venv = venvs.get(*NEW)
    command = (commands.precreate, "run", "--", "pytest", "--testmon", "-n", "2")
    process = start_slow_run(project, venv, venv.environment(), *command)
    state = json.loads((project.path / ".testmon_xdist" / "controller_ready.json").read_text())
    os.kill(state["controller_pid"], signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert_clean(project)


def test_a_killed_run_ends_its_command(commands, tmp_path):
    process = subprocess.Popen(
        [commands.precreate, "run", "--", "sh", "-c", "echo $$ > pid; exec sleep 60"], cwd=tmp_path
    )
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip(), seconds=20)
    pid = int((tmp_path / "pid").read_text())
    process.kill()
    process.wait()
    wait_until(lambda: not is_alive(pid), seconds=10)


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_terminal_interrupts_the_whole_foreground_group(commands, tmp_path):
    """Ctrl-C at a terminal: the command gets it once, not a second time through `run`."""
    script = (
        "import signal, time\ncount = []\nsignal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "open('ready', 'w').close()\nend = time.monotonic() + 1.5\n"
        "while time.monotonic() < end:\n    time.sleep(0.05)\nprint('interrupts:', len(count))\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execv(commands.precreate, [commands.precreate, "run", "--", "python3", "-c", script])
    wait_until((tmp_path / "ready").exists, seconds=20)
    os.write(terminal, b"\x03")
    output = b""
    try:
        while True:
            output += os.read(terminal, 1024)
    except OSError:
        pass
    _, status = os.waitpid(pid, 0)
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, output
    assert b"interrupts: 1" in output


def test_several_projects_at_once(venvs, commands, tmp_path):
    venv = venvs.get(*NEW)
    projects = [Project.sample(tmp_path / f"project{i}") for i in range(4)]
    words = [commands.wrapper, "--testmon", "-n", "2"]
    processes = [
        subprocess.Popen(words, cwd=project.path, env=venv.environment(commands), stdout=subprocess.PIPE, text=True)
        for project in projects
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    for project, process, output in zip(projects, processes, outputs):
        assert process.returncode == 0 and f"{ALL} passed" in output, output
        assert_clean(project)


def test_options_reach_the_plugins_preparation(venvs, commands, project):
    venv = venvs.get(*NEW)
    command = [commands.precreate, "run", "--datafile", "elsewhere.db", "--", "pytest", "--testmon", "-n", "2"]
    result = project.run(command, venv.environment())
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert (project.path / "elsewhere.db").exists()
    assert not project.datafile.exists()
    assert_clean(project, result)


def test_plugin_path_is_importable(commands, tmp_path):
    result = commands.run(commands.precreate, "plugin-path", cwd=tmp_path)
    assert result.returncode == 0
    assert os.path.exists(os.path.join(result.stdout.strip(), "testmon_precreate", "plugin.py"))


def test_data_file_alone_is_complete_after_a_run(venvs, commands, project, tmp_path):
    """What a CI cache takes: no WAL beside it holds anything back."""
    venv = venvs.get(*NEW)
    result = project.run([commands.wrapper, "--testmon", "-n", "2"], venv.environment(commands))
    assert result.exit_code == 0, result.output
    for suffix in ("-wal", "-shm"):
        (project.path / f".testmondata{suffix}").unlink(missing_ok=True)
    assert project.rows("SELECT count(*) FROM test_execution") == [(ALL,)]
    again = project.run([commands.wrapper, "--testmon", "-n", "2"], venv.environment(commands))
    assert (again.exit_code, again.passed) == (0, 0), again.output


def test_as_the_first_process_of_a_container(venvs, commands, project):
    """Its own workers, its clean-up and the plugin know it, though its pid is 1."""
    venv = venvs.get(*NEW)
    command = [
        *namespace(pid=True), commands.precreate, "run", "--strict", "--", "sh", "-c", f"{venv.python} -m pytest --testmon -n 2"
    ]  # fmt: skip
    result = project.run(command, venv.environment(commands))
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "testmon-precreate: " not in result.output
    assert not (project.path / ".testmon_xdist").exists()


@pytest.mark.parametrize("arguments", [["--strict"], ["--strict", "--wait-for-run", "5"], ["--strict", "--run-uid", "mine"]])
def test_a_strict_run_is_one_run_with_the_plugins(arguments, venvs, commands, project):
    venv = venvs.get(*NEW)
    # As in a worker of another run.
    environment = venv.environment(commands, PYTEST_XDIST_TESTRUNUID="others")
    command = [commands.precreate, "run", *arguments, "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"]
    result = project.run(command, environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "testmon-precreate: " not in result.output
    assert not (project.path / ".testmon_xdist").exists()


def test_a_time_out_beyond_what_python_waits_for_is_no_end(venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = venv.environment(commands, TESTMON_XDIST_WORKER_TIMEOUT="1e9")
    result = project.run([commands.precreate, "run", "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"], environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output


def test_the_steps_around_python_m_pytest(venvs, commands, project):
    """`python -m` shows pytest what lies in the working directory; `prepare` knows of it."""
    venv = venvs.get(*MIDDLE)
    (project.path / "shop.egg-info").mkdir()
    (project.path / "shop.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    environment = venv.environment(commands)
    for executed in (ALL, 0, 0):
        command = [commands.precreate, "prepare", "-q", "-n", "2", "--", "python", "-m", "pytest", "tests"]
        assert project.run(command, environment).exit_code == 0
        result = project.run([venv.python, "-m", "pytest", "--testmon", "-n", "2", "tests"], environment)
        assert (result.exit_code, result.passed) == (0, executed), result.output
        assert project.run([commands.precreate, "cleanup", "-q"], environment).exit_code == 0
    assert len(project.rows("SELECT * FROM environment")) == 1


def test_environments_are_left_alone_while_a_run_needs_them(venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = venv.environment(commands)
    run = [commands.precreate, "run", "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"]
    process = start_slow_run(project, venv, environment, *run)
    for action in (["park", "1"], ["restore", "1"], ["prune", "--keep-environments", "0"]):
        refused = project.run([commands.precreate, "environments", *action], environment)
        assert refused.exit_code == 9, refused.output
        assert "is still in progress" in refused.output and "--force" in refused.output
    assert "default" in project.run([commands.precreate, "environments"], environment).output
    forced = project.run([commands.precreate, "environments", "restore", "1", "--force"], environment)
    assert forced.exit_code == 0, forced.output
    end(process, signal.SIGTERM)
    assert project.run([commands.precreate, "environments", "park", "1"], environment).exit_code == 0


@pytest.mark.parametrize("arguments", [["--testmon-env", ""], ["--keep-environments", "-1"]])
def test_pruning_takes_nothing_for_everything(arguments, commands, project):
    result = commands.run(commands.precreate, "environments", "prune", *arguments, cwd=project.path)
    assert result.returncode == 2, result.stderr


def test_a_warning_is_seen_though_pytest_dies(venvs, commands, project):
    """The file is damaged: testmon cannot open it either, and pytest has no summary then."""
    project.datafile.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    venv = venvs.get(*NEW)
    command = [commands.precreate, "run", "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"]
    result = project.run(command, venv.environment(commands))
    assert result.exit_code != 0
    assert result.output.count("the run goes on without it") == 1, result.output
    assert "--rebuild" in result.output


@pytest.mark.parametrize("way", ["variable", "option"])
def test_the_debug_log_is_shown_past_pytests_capturing(way, venvs, commands, project):
    venv = venvs.get(*NEW)
    environment = venv.environment(commands, **({"TESTMON_XDIST_DEBUG": "1"} if way == "variable" else {}))
    options = ["-v"] if way == "option" else []
    command = [commands.precreate, "run", *options, "--", venv.python, "-m", "pytest", "--testmon", "-n", "2"]
    result = project.run(command, environment)
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert " testmon-precreate[" in result.output and " testmon-await[" in result.output, result.output


def test_a_mistyped_subcommand_is_named(commands, project):
    result = commands.run(commands.precreate, "prepar", cwd=project.path)
    assert result.returncode == 2
    assert "there is no subcommand `prepar`" in result.stderr
