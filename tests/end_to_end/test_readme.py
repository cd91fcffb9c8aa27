"""What the README promises: a first part that stays short, links that lead somewhere, commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
README = (SOURCE / "README.md").read_text()


def test_the_reference_begins_within_150_lines():
    assert README.splitlines().index("---") <= 150


def test_links_lead_to_a_heading():
    headings = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in re.findall(r"^#+ (.*)$", README, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]*)\)", README)
    assert len(links) > 20 and [link for link in links if link not in headings] == []


def test_the_commands_of_the_speed_table_exist():
    names = set(re.findall(r"`scripts/bench (\w+)`", README))
    assert len(names) > 5
    assert [name for name in names if not (SOURCE / "scripts" / "benchmarks" / f"bench_{name}.py").exists()] == []
