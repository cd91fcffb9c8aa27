"""No row is written before every worker has read the data file: "Different tests were collected" cannot happen.

Workers are held while testmon reads: by conftest files that delay its functions in one worker.
"""

from __future__ import annotations

import pytest
from plugin_support import MIDDLE, NEW, plugin_environment, run
from pythons import python_of

ALL = 4
RELEASES = pytest.mark.parametrize(
    "requirements, python", [(MIDDLE, "3.9"), (NEW, None)], ids=["testmon-2.1.3", "testmon-2.2.0"]
)

HELD = """
import os, time
from testmon.db import DB

WORKER = os.environ.get("PYTEST_XDIST_WORKER")


def hold(name, seconds, before):
    original = getattr(DB, name)

    def held(*arguments, **options):
        if before:
            time.sleep(seconds)
        result = original(*arguments, **options)
        if not before:
            time.sleep(seconds)
        return result

    setattr(DB, name, held)


def pytest_collection():
    if WORKER == "gw0":
        time.sleep({collect})


if WORKER == "{worker}":
    hold("{function}", 2, {before})
"""

CASES = {
    # A worker that is ready late, one that is held between two of its reads, and one that is held before the first.
    "late": dict(collect=1, worker="gw1", function="determine_tests", before=False),
    "between": dict(collect=0, worker="gw1", function="filenames", before=True),
    "before": dict(collect=0, worker="gw1", function="fetch_unknown_files", before=True),
}


@RELEASES
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("change", ["first run", "package change"])
def test_no_worker_reads_a_half_written_file(requirements, python, case, change, venvs, commands, project, tmp_path):
    venv = venvs.get(*requirements, python=python and python_of(python)).copy(tmp_path / "venv")
    environment = plugin_environment(venv, commands)
    if change == "package change":
        assert run(project, venv, environment, "-n", "2").passed == ALL
        venv.add_distribution("zzz-last", "1.0")
    (project.path / "conftest.py").write_text(HELD.format(**CASES[case]))
    held = run(project, venv, environment, "-n", "4")
    assert (held.exit_code, held.passed) == (0, ALL), held.output
    (project.path / "conftest.py").unlink()
    again = run(project, venv, environment, "-n", "2")
    assert (again.exit_code, again.passed) == (0, 0), again.output


@RELEASES
def test_a_worker_that_dies_before_it_collects_holds_nothing_up(requirements, python, venvs, commands, project):
    venv = venvs.get(*requirements, python=python and python_of(python))
    environment = plugin_environment(venv, commands)
    (project.path / "conftest.py").write_text(
        "import os, pathlib\nDIED = pathlib.Path(__file__).with_name('died')\n\n\ndef pytest_collection():\n"
        "    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw1' and not DIED.exists():\n"
        "        DIED.touch()\n        os._exit(1)\n"
    )
    result = run(project, venv, environment, "-n", "2")
    assert (result.exit_code, result.passed) == (0, ALL), result.output
    assert "replacing crashed worker gw1" in result.output
    again = run(project, venv, environment, "-n", "2")
    assert (again.exit_code, again.passed) == (0, 0), again.output


@RELEASES
def test_a_worker_that_is_never_replaced_holds_nothing_up(requirements, python, venvs, commands, project):
    venv = venvs.get(*requirements, python=python and python_of(python))
    environment = plugin_environment(venv, commands)
    (project.path / "conftest.py").write_text(
        "import os\n\n\ndef pytest_collection():\n"
        "    if os.environ.get('PYTEST_XDIST_WORKER') == 'gw1':\n        os._exit(1)\n"
    )
    result = run(project, venv, environment, "-n", "2", "--max-worker-restart", "0", timeout=60)
    assert "worker gw1 crashed" in result.output and result.passed == 0, result.output
    (project.path / "conftest.py").unlink()
    again = run(project, venv, environment, "-n", "2")
    assert (again.exit_code, again.passed) == (0, ALL), again.output
