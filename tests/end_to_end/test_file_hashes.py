"""After an edited comment, later runs do not parse the file again."""

from __future__ import annotations

import pytest

from plugin_support import MIDDLE, NEW, plugin_environment, run


def outdated_fingerprints(project) -> int:
    """Of shop.py: those that have not got the hash that most have."""
    rows = project.rows("SELECT fsha, count(*) FROM file_fp WHERE filename = 'shop.py' GROUP BY fsha")
    return sum(count for _, count in rows) - max(count for _, count in rows)


def hashes(project) -> set:
    return {row[0] for row in project.rows("SELECT fsha FROM file_fp WHERE filename = 'shop.py'")}


def add_comment(project, text: str) -> None:
    module = project.path / "shop.py"
    module.write_text(f"# {text}\n" + module.read_text())


@pytest.mark.parametrize("requirements", [MIDDLE, NEW], ids=["2.1.3", "2.2.0"])
def test_the_hash_of_an_edited_comment_is_kept(requirements, project, venvs, commands):
    venv = venvs.get(*requirements)
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment, "-n", "2").passed == 4
    before = hashes(project)
    add_comment(project, "a comment")
    assert run(project, venv, environment, "-n", "2", "--testmon-nocollect").passed == 0
    assert hashes(project) == before  # that run writes nothing
    assert run(project, venv, environment, "-n", "2").passed == 0
    assert len(hashes(project)) == 1 and hashes(project) != before
    affected = commands.run(commands.precreate, "affected", "--exit-code", cwd=project.path, env=environment)
    assert affected.returncode == 5, affected.stdout
    project.edit_function(1)
    assert run(project, venv, environment, "-n", "2").passed == 2
    # The tests that ran have fingerprints of the new content; the others' are as good.
    assert outdated_fingerprints(project) == 0
    assert run(project, venv, environment, "-n", "2").passed == 0
    project.edit_function(0)
    assert run(project, venv, environment, "-n", "2").passed == 2


def test_equal_fingerprints_become_one(project, venvs, commands):
    """A test that ran after the edit has the same blocks as one that did not, with another hash."""
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment, "-n", "2").passed == 4
    add_comment(project, "a comment")
    test_file = project.path / "tests" / "test_price_0.py"
    test_file.write_text(test_file.read_text().replace("(0) == 0", "(0) == 0 * 1"))
    assert run(project, venv, environment, "-n", "2").passed == 1
    assert len(hashes(project)) == 1
    assert project.rows("SELECT count(*) FROM file_fp WHERE filename = 'shop.py'") == [(2,)]
    assert project.rows(
        "SELECT count(*) FROM test_execution_file_fp WHERE fingerprint_id NOT IN (SELECT id FROM file_fp)"
    ) == [(0,)]
    project.edit_function(0)
    assert run(project, venv, environment, "-n", "2").passed == 2


def test_what_another_environment_uses_too_stays(project, venvs, commands):
    venv = venvs.get(*NEW)
    environment = plugin_environment(venv, commands)
    assert run(project, venv, environment, "-n", "2").passed == 4
    assert run(project, venv, environment, "-n", "2", "--testmon-env", "other").passed == 4
    before = hashes(project)
    add_comment(project, "a comment")
    assert run(project, venv, environment, "-n", "2").passed == 0
    assert hashes(project) == before
