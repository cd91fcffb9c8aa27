"""The house: a room includes only rooms below it, and the top level holds only what it should."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

# What each room may include beside itself.
BELOW = {
    "util": set(),
    "core": {"util"},
    "pytest": {"util", "core"},
    "python": {"util", "core"},
    "datafile": {"util", "core"},
    "coordination": {"util", "core"},
    "selection": {"util", "core"},
    "flows": {"util", "core", "pytest", "python", "datafile", "coordination", "selection"},
    "cli": {"util", "core", "pytest", "python", "datafile", "coordination", "selection", "flows"},
}


def room_of(path: Path) -> str:
    """The folder below src/ or include/testmon_precreate/; `flows` for the two flows and the mains' room."""
    parts = path.parts[path.parts.index("src" if "src" in path.parts else "testmon_precreate") + 1 :]
    if len(parts) > 1:
        return parts[0]
    return "cli" if path.stem.endswith("_main") else "flows"


def test_rooms_include_only_rooms_below():
    wrong = []
    for path in [*(SOURCE / "src").rglob("*.[ch]pp"), *(SOURCE / "include").rglob("*.hpp")]:
        room = room_of(path.relative_to(SOURCE))
        for included in re.findall(r"#include [<\"]testmon_precreate/([^>\"]+)[>\"]", path.read_text()):
            other = included.split("/")[0] if "/" in included else "flows"
            if other != room and other not in BELOW[room]:
                wrong.append(f"{path.relative_to(SOURCE)} includes {included}")
    assert wrong == []


def test_foreign_libraries_stay_in_their_rooms():
    homes = {"SQLiteCpp": {"datafile"}, "CLI": {"cli"}, "toml": {"pytest"}}
    wrong = []
    for path in [*(SOURCE / "src").rglob("*.[ch]pp"), *(SOURCE / "include").rglob("*.hpp")]:
        room = room_of(path.relative_to(SOURCE))
        for library in re.findall(r"#include <(SQLiteCpp|CLI|toml)(?:\+\+)?[/.]", path.read_text()):
            if room not in homes[library]:
                wrong.append(f"{path.relative_to(SOURCE)} includes {library}")
    assert wrong == []


def test_the_top_level_holds_only_what_it_should():
    tracked = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"], cwd=SOURCE, text=True, capture_output=True, check=True
    ).stdout.split()
    named = {"CMakeLists.txt", "src", "include", "tests", "scripts", "README.md", "CHANGELOG.md"}
    assert [name for name in tracked if not name.startswith(".") and name not in named] == []
