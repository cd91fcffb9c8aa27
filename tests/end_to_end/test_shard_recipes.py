"""The README's recipes for shards: their shell parts, on five machines in five directories."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

import pytest

from support import Project
from test_merge import Suite
from test_recipes import environment as ci_environment  # noqa: F401 (a fixture)
from test_recipes import run_shell, shell_part

COUNT = 5
# The names of the parts of a shard, of what comes after all of them, and the variables of shard N, counted from 0.
SERVICES = {
    "github": (["github-shard"], "github-merge", lambda n: {"SHARD": f"{n + 1}/{COUNT}"}),
    "gitlab": (["gitlab-shard"], "gitlab-merge", lambda n: {"CI_NODE_INDEX": n + 1, "CI_NODE_TOTAL": COUNT}),
    "circleci": (
        ["circleci-shard", "circleci-keep"],
        "circleci-merge",
        lambda n: {"CIRCLE_NODE_INDEX": n, "CIRCLE_NODE_TOTAL": COUNT},
    ),
    "buildkite": (
        ["buildkite-shard"],
        "buildkite-merge",
        lambda n: {"BUILDKITE_PARALLEL_JOB": n, "BUILDKITE_PARALLEL_JOB_COUNT": COUNT},
    ),
}


class Pipeline:
    def __init__(self, service: str, environment: Dict[str, str], directory: Path) -> None:
        self.shard, self.merge, self.variables = SERVICES[service]
        store = directory / "store"
        self.environment = dict(environment, TESTMON_STORE=str(store))
        self.directory = directory
        self.is_store = service == "buildkite"
        self.cached: Optional[Path] = None

    def machine(self, name: str, sources: Path) -> Project:
        return Suite.new_machine(self.directory / name, sources, None if self.is_store else self.cached)

    def start_with_whole_run(self, project: Project) -> None:
        machine = self.machine("whole", project.path)
        script = "python -m pip install --quiet testmon-precreate\ntestmon-precreate run -- pytest --testmon\n"
        store = 'testmon-precreate store push --environment ci "$TESTMON_STORE"' if self.is_store else ""
        run_shell(script + store, machine, self.environment)
        self.cached = machine.datafile

    def run(self, name: str, sources: Path) -> List[str]:
        """What the shards print. The merged file is the next pipeline's."""
        merging, outputs = self.machine(f"{name}-merge", sources), []
        for number in range(COUNT):
            machine = self.machine(f"{name}-{number}", sources)
            variables = {key: str(value) for key, value in self.variables(number).items()}
            script = "\n".join(map(shell_part, self.shard))
            if number > 0:  # all of them share an environment, which has it all by then
                script = without_installation(script)
            outputs.append(run_shell(script, machine, {**self.environment, **variables}))
            target = merging.path / "shards" / str(number)
            target.mkdir(parents=True)
            shutil.copy(machine.datafile, target)  # the service's artifacts
        run_shell(without_installation(shell_part(self.merge)), merging, self.environment)
        shutil.rmtree(merging.path / "shards")
        self.cached = merging.datafile
        return outputs


def without_installation(script: str) -> str:
    assert "pip install" in script
    return "\n".join(line for line in script.splitlines() if "pip install" not in line)


def passed(outputs: List[str]) -> int:
    counts = [line.split(" passed")[0].split()[-1] for text in outputs for line in text.splitlines() if " passed" in line]
    return sum(map(int, counts))


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_five_machines(service, ci_environment, tmp_path):  # noqa: F811
    """With the data file of an earlier run; in one case also without, which is what makes that file."""
    project = Project.sample(tmp_path / "sources", test_files=6)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *words], cwd=project.path, check=True)
    pipeline = Pipeline(service, ci_environment, tmp_path)
    if service == "github":
        assert passed(pipeline.run("first", project.path)) == 12
    else:
        pipeline.start_with_whole_run(project)
    project.edit_function(0)
    subprocess.run([*git, "commit", "--quiet", "-am", "second"], cwd=project.path, check=True)
    if service == "github":
        planning = pipeline.machine("plan", project.path)
        output = planning.path / "output"
        run_shell(shell_part("github-plan"), planning, {**pipeline.environment, "GITHUB_OUTPUT": str(output)})
        assert output.read_text() == 'shards=["1/1"]\n'  # a second of tests
    outputs = pipeline.run("second", project.path)
    assert passed(outputs) == 2
    assert sum("nothing to run" in text for text in outputs) >= 3
    last = pipeline.machine("last", project.path)
    last.datafile.unlink(missing_ok=True)
    shutil.copy(pipeline.cached, last.datafile)
    output = run_shell("testmon-precreate run -- pytest --testmon -n 2", last, pipeline.environment)
    assert "passed" not in output and "failed" not in output, output
