"""`run --audit`, and the summary in Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from namespaces import namespace
from plugin_support import MIDDLE, NEW, assert_clean, plugin_environment, run
from support import Project, PytestResult, Venv

TEST = "tests/test_outside.py::test_it"


@pytest.fixture(params=[MIDDLE, NEW], ids=["middle", "newest"])
def venv(request, venvs) -> Venv:
    return venvs.get(*request.param)


@pytest.fixture
def outside(project, tmp_path) -> Path:
    """What a test depends on without testmon's seeing it."""
    file = tmp_path / "outside.txt"
    file.write_text("good")
    (project.path / "tests" / "test_outside.py").write_text(
        f"import shop\n\n\ndef test_it():\n    assert open({str(file)!r}).read() == 'good'\n"
        "    assert shop.price_0(1) == 1\n"
    )
    return file


def start(project: Project, venv: Venv, commands, *words: str, before=(), **variables: str) -> PytestResult:
    """`testmon-precreate run`: options, `--`, pytest's arguments."""
    split = words.index("--")
    command = [commands.precreate, "run", *words[:split], "--", venv.python, "-m", "pytest", *words[split + 1 :]]
    return project.run([*before, *command], venv.environment(**variables))


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_selection_would_have_missed(venv, commands, project, outside, workers):
    arguments = ("--", "--testmon", "-n", workers)
    assert start(project, venv, commands, *arguments).passed == 5
    outside.write_text("bad")
    selected = start(project, venv, commands, *arguments)
    assert (selected.exit_code, selected.passed, selected.failed) == (0, 0, 0), selected.output
    audit = start(project, venv, commands, "--audit", *arguments)
    assert (audit.exit_code, audit.passed, audit.failed) == (1, 4, 1), audit.output
    assert "audit: 5 tests ran; selection would have skipped 5" in audit.output
    assert f"warning: audit: selection would have missed 1 failure: {TEST}\n" in audit.output
    # It has been recorded: from now on the test runs until it passes.
    again = start(project, venv, commands, "--audit", *arguments)
    assert "selection would have skipped 4" in again.output and "missed" not in again.output, again.output
    assert "selection would have run what failed (1)" in again.output
    assert start(project, venv, commands, *arguments).failed == 1


def test_exit_codes(venvs, commands, project, outside):
    venv = venvs.get(*NEW)
    (project.path / "conftest.py").write_text(
        "import pytest\n\n\n@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n"
        "    session.exitstatus = 0\n"
    )
    arguments = ("--", "--testmon")
    start(project, venv, commands, *arguments)
    clean = start(project, venv, commands, "--audit", "--strict", *arguments)
    assert clean.exit_code == 0 and "selection would have skipped 5" in clean.output, clean.output
    datafile = project.datafile.read_bytes()
    outside.write_text("bad")
    for strict, exit_code in ((), 0), (("--strict",), 1):
        project.datafile.write_bytes(datafile)
        result = start(project, venv, commands, "--audit", *strict, *arguments)
        assert result.exit_code == exit_code and f"missed 1 failure: {TEST}" in result.output, result.output


def test_files_that_cannot_be_collected(venvs, commands, project, outside):
    venv = venvs.get(*NEW)
    broken = project.path / "tests" / "test_price_0.py"
    broken.write_text(f"assert open({str(outside)!r}).read() == 'good'\n" + broken.read_text())
    assert start(project, venv, commands, "--", "--testmon").passed == 5
    outside.write_text("bad")
    result = start(project, venv, commands, "--audit", "--", "--testmon")
    assert "missed 1 failure: tests/test_price_0.py\n" in result.output, result.output


def test_selection_that_is_off_or_forced(venvs, commands, project, outside):
    venv = venvs.get(*NEW)
    start(project, venv, commands, "--", "--testmon")
    outside.write_text("bad")
    off = start(project, venv, commands, "--audit", "--", "--testmon-nocollect", "--testmon", "-m", "not slow")
    assert off.failed == 1 and "selection is off in this run, nothing would have been skipped: -m was used" in off.output
    forced = start(
        project, venv, commands, "--audit", "--", "--testmon-nocollect", "--testmon-forceselect", "-m", "not slow"
    )
    assert forced.failed == 1 and f"missed 1 failure: {TEST}" in forced.output, forced.output


def test_a_data_file_that_must_not_or_cannot_be_written(venvs, commands, project, outside):
    venv = venvs.get(*NEW)
    start(project, venv, commands, "--", "--testmon")
    outside.write_text("bad")
    before = project.datafile.read_bytes()
    for read_only in ((), namespace(read_only=project.path)):
        options = ["--testmon"] if read_only else ["--testmon-nocollect", "-n", "2"]
        result = start(project, venv, commands, "--audit", "--", *options, "-p", "no:cacheprovider", before=read_only)
        assert result.failed == 1 and f"missed 1 failure: {TEST}" in result.output, result.output
        assert project.datafile.read_bytes() == before


def test_an_audit_of_nothing(venvs, commands, project):
    venv = venvs.get(*NEW)
    result = start(project, venv, commands, "--audit", "--")
    assert (result.exit_code, result.passed) == (0, 4) and "warning: no audit" in result.output, result.output
    strict = start(project, venv, commands, "--audit", "--strict", "--")
    assert strict.exit_code == 1 and "error: no audit" in strict.output, strict.output


def test_summary(venv, commands, project, tmp_path):
    """By the plugin alone. What is there stays."""
    summary = tmp_path / "summary.md"
    summary.write_text("# What another step wrote\n")
    variables = plugin_environment(venv, commands, GITHUB_STEP_SUMMARY=str(summary))

    def last(*arguments: str) -> str:
        old = summary.read_text()
        result = run(project, venv, variables, *arguments)
        assert result.exit_code == 0, result.output
        assert_clean(project, result)
        assert summary.read_text().startswith(old)
        return summary.read_text()[len(old) :]

    first = last("-n", "2")
    assert first.startswith("### testmon: 4 tests ran, 0 skipped\n\n- **Failed:** 0\n- **Saved:** 0.0 s")
    assert "- **Why all:** there was no data file\n" in first
    assert f"- **Base:** `{project.datafile}`, which was not there; environment `default` created\n" in first
    project.edit_function(1)
    second = last("-n", "2")
    assert second.startswith("### testmon: 2 tests ran, 2 skipped\n") and "Why all" not in second
    assert re.search(r"last written \d+ s before; environment `default` reused\n", second)
    assert "- **Why all:** selection was off: -m was used\n" in last("-m", "not slow")
    assert last().startswith("### testmon: 0 tests ran, 4 skipped\n")


def test_summary_of_run(venvs, commands, project, outside, tmp_path):
    venv = venvs.get(*NEW).copy(tmp_path / "venv")
    summary = project.path / "summary.md"
    start(project, venv, commands, "--", "--testmon")
    outside.write_text("bad")
    audit = start(project, venv, commands, "--audit", "--summary", "summary.md", "--", "--testmon")
    text = summary.read_text()
    assert audit.failed == 1 and text.startswith("### testmon audit: 5 tests ran, 5 would have been skipped\n"), text
    assert f"- **Audit:** selection would have missed 1 failure:\n  - `{TEST}`\n" in text
    venv.add_distribution("added", "1.0")
    start(project, venv, commands, "--summary", "summary.md", "--", "--testmon")
    assert "- **Why all:** packages or Python have changed\n" in summary.read_text()
    # One that cannot be written is no reason to fail.
    outside.write_text("good")
    result = start(project, venv, commands, "--summary", "none/summary.md", "--", "--testmon")
    assert result.exit_code == 0 and "no summary: " in result.output, result.output
