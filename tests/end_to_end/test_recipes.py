"""The README's CI recipes, as far as a machine allows: their shell parts, tox and pre-commit themselves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

from support import Project

ALL = 4
README = Path(__file__).resolve().parents[2] / "README.md"


def shell_part(name: str) -> str:
    """The lines from `# recipe: NAME` on, as far as they are indented like it."""
    lines = README.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip() == f"# recipe: {name}")
    indent = len(lines[start]) - len(lines[start].lstrip())
    part = []
    for line in lines[start:]:
        if line.strip() and not line.startswith(" " * indent):
            break
        if line.strip() in ("'''", "```"):
            break
        part.append(line[indent:])
    return "\n".join(part)


def fenced_block(holding: str) -> str:
    blocks = re.findall(r"^```\w*\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if holding in block]
    return found


@pytest.fixture(scope="session")
def environment(venvs, wheel, tmp_path_factory) -> Dict[str, str]:
    """What a CI job finds: a Python with pip, and our wheel in a place that pip searches."""
    venv = venvs.get("pip", "pytest-testmon", "pytest-xdist", "pytest").copy(tmp_path_factory.mktemp("ci") / "venv")
    return venv.environment(PIP_FIND_LINKS=str(wheel.parent), CI="true")


def run_shell(script: str, project: Project, environment: Dict[str, str]) -> str:
    result = subprocess.run(
        ["sh", "-e", "-c", script], cwd=project.path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def next_checkout(project: Project, target: Path) -> Project:
    """Another machine: the sources again, and of all else only what the cache has."""
    fresh = Project.sample(target)
    shutil.copy(project.datafile, fresh.datafile)
    return fresh


@pytest.mark.parametrize(
    "names, variable",
    [(["github-actions"], "true"), (["gitlab-ci"], "true"), (["jenkins", "jenkins-post"], None)],
    ids=["github-actions", "gitlab-ci", "jenkins"],
)
def test_shell_parts(names, variable, environment, project, tmp_path):
    if variable:
        assert f'TESTMON_XDIST_CONTROLLER_PRECREATION: "{variable}"' in README.read_text()
        environment = dict(environment, TESTMON_XDIST_CONTROLLER_PRECREATION=variable)
    script = "\n".join(shell_part(name) for name in names)
    assert f"{ALL} passed" in run_shell(script, project, environment)
    assert not (project.path / ".testmon_xdist").exists()

    second = next_checkout(project, tmp_path / "second")
    second.edit_function(0)
    assert "2 passed" in run_shell(script, second, environment)


def test_tox(environment, project):
    (project.path / "tox.ini").write_text("[tox]\nno_package = true\nenv_list = py\n\n" + fenced_block("[testenv]"))
    (project.path / "pytest.ini").unlink()
    (project.path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = "."\n')
    command = f"'{sys.executable}' -m uv tool run --quiet tox"
    assert f"{ALL} passed" in run_shell(command, project, environment)
    assert (project.path / ".testmondata-py").exists()
    project.edit_function(0)
    assert "2 passed" in run_shell(command, project, environment)
    assert not (project.path / ".testmon_xdist").exists()


def test_tox_in_parallel(environment, project):
    """Each environment has a data file, so that none stands in another one's way."""
    settings = fenced_block("[testenv]").replace("pytest-testmon\n", "pytest-testmon==2.1.3\n    pytest<9\n")
    tox = project.path / "tox.ini"
    tox.write_text("[tox]\nno_package = true\nenv_list = one, two\n\n" + settings)
    (project.path / "pytest.ini").unlink()
    (project.path / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = "."\n')
    command = f"'{sys.executable}' -m uv tool run --quiet tox -p all --parallel-no-spinner"
    assert run_shell(command, project, environment).count(f"{ALL} passed") == 2
    tox.write_text(tox.read_text().replace("    pytest-xdist\n", "    pytest-xdist\n    sniffio\n"))
    changed = run_shell(command, project, environment)
    assert changed.count(f"{ALL} passed") == 2 and "readonly" not in changed, changed
    assert "Warning" not in changed, changed
    assert not list(project.path.glob(".testmon_xdist*"))


def test_pre_commit(environment, project):
    (project.path / ".pre-commit-config.yaml").write_text(fenced_block("repo: local"))
    (project.path / ".gitignore").write_text(".testmondata*\n.testmon_xdist\n__pycache__\n.pytest_cache\n")
    # Installed beside pytest: run as a tool of its own it would put its own `python` in front.
    run_shell("python -m pip install --quiet testmon-precreate pre-commit", project, environment)
    run_shell("git init --quiet && git add .", project, environment)
    command = "pre-commit run --all-files --verbose"
    assert f"{ALL} passed" in run_shell(command, project, environment)
    project.edit_function(0)
    run_shell("git add .", project, environment)
    assert "2 passed" in run_shell(command, project, environment)
    status = run_shell("git status --porcelain", project, environment)
    assert "testmon" not in status.replace("pre-commit", ""), status
