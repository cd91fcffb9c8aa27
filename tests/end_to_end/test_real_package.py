"""The whole path on a real package's own suite, a few hundred tests, with a package change between."""

from __future__ import annotations

import shutil

import pytest

from support import Project


@pytest.mark.slow
@pytest.mark.parametrize("testmon", ["2.1.3", "2.2.0"])
def test_boltons_own_suite_through_a_package_change(commands, venvs, tmp_path, testmon):
    # The suite's own conftest does not know pytest 9.
    venv = venvs.get(f"pytest-testmon=={testmon}", "pytest-xdist", "pytest<9").copy(tmp_path / "venv")
    shutil.copytree(venvs.sdist("boltons==25.0.0"), tmp_path / "boltons")
    project = Project(tmp_path / "boltons")
    environment = venv.environment(commands, PYTHONPATH=str(project.path))

    def run():
        return project.run([commands.wrapper, "--testmon", "-n", "4", "-q"], environment)

    first = run()
    assert first.exit_code == 0, first.output
    assert first.passed > 400
    assert run().passed == 0

    venv.add_distribution("zzz-added", "1.0")
    changed = run()
    assert changed.exit_code == 0, changed.output
    assert changed.passed == first.passed

    venv.remove_distribution("zzz-added")
    restored = run()
    assert restored.exit_code == 0, restored.output
    assert restored.passed == 0
