"""Small languages that pytest's settings are written in, compared with the Python code that reads them."""

from __future__ import annotations

import fnmatch
import glob
import os
import random
import shlex
from pathlib import Path
from typing import List

import pytest
from line_server import LineServer, decode, encode
from support import Commands, Venvs, chosen_seed

SEED = chosen_seed()
INICONFIG = """
import io, json, sys, iniconfig

def sections(content):
    text = lambda s: s.encode().decode("latin-1")
    parsed = iniconfig.IniConfig("FILE", content)
    return sorted([text(s.name), sorted([text(k), text(v)] for k, v in s.items())] for s in parsed)

def first_wrong_line(lines):
    for count in range(1, len(lines) + 1):
        try:
            sections("".join(lines[:count]))
        except iniconfig.ParseError:
            return count

for line in sys.stdin:
    data = json.loads(line)["ini"].encode("latin-1")
    try:
        content = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
        answer = {"sections": sections(content)}
    except UnicodeDecodeError:
        answer = {"reason": "not UTF-8"}
    except iniconfig.ParseError:
        answer = {"line": first_wrong_line(content.splitlines(True))}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture(scope="module")
def ours(commands: Commands):
    server = LineServer(str(commands.build / "tests" / "pytest" / "scan_test_files"))
    yield server
    server.close()


@pytest.fixture
def source() -> random.Random:
    print(f"TESTMON_PRECREATE_SEED={SEED}")
    return random.Random(SEED)


def ini_text(source: random.Random) -> bytes:
    fragments = ["[pytest]", "[tool:pytest]", "[a", "a]", "[]", "[ b ]", "name", "x", "é", "=", ":", " = ", "#", ";"]
    fragments += [" ", "  ", "\t", "\n", "\n", "\n", "\n    ", "\r\n", "\r", "\f", "\v", "\x1c", "\x85", "\xa0", "\u2028"]
    fragments += ["'", '"', "\\", "\ufeff", "\x00", "\u3000", "value"]
    text = "".join(source.choice(fragments) for _ in range(source.randint(0, 40)))
    if source.random() < 0.7:
        text = "[s]\n" + text
    if source.random() < 0.05:
        text = "\ufeff" + text
    data = text.encode()
    return data + b"\xff" if source.random() < 0.02 else data


def test_ini_files_are_read_as_iniconfig_reads_them(ours: LineServer, venvs: Venvs, source: random.Random) -> None:
    theirs = LineServer(venvs.get("pytest==9.2.0").python, "-c", INICONFIG)
    failures = 0
    for _ in range(4000):
        data = ini_text(source)
        request = {"ini": data.decode("latin-1")}
        expected, found = theirs.ask(request), ours.ask(request)
        if "reason" in expected:
            assert "reason" in found, data
        else:
            assert found.get("sections") == expected.get("sections"), data
            assert found.get("line") == expected.get("line"), data
        failures += "sections" not in expected
    theirs.close()
    assert 400 < failures < 3600, "the texts show too little of one side"


def test_words_are_split_as_shlex_splits_them(ours: LineServer, source: random.Random) -> None:
    for _ in range(4000):
        text = "".join(source.choice(" \t\n'\"\\ab$#;é-=") for _ in range(source.randint(0, 12)))
        found = ours.ask({"words": encode(text)})
        try:
            expected: List[str] = shlex.split(text)
        except ValueError:
            assert found.get("class") == "UsageError", text
        else:
            assert [decode(word) for word in found["words"]] == expected, text


def test_patterns_match_as_fnmatch_matches(ours: LineServer, source: random.Random) -> None:
    def text(alphabet: str, most: int) -> str:
        return "".join(source.choice(alphabet) for _ in range(source.randint(0, most)))

    for _ in range(4000):
        pattern = text("ab-c]![*?é\udcff/.^\\", 8) + source.choice(["", "", "*", ".py"])
        names = [text("abcé\udcff/.-]![^\\", 6) + source.choice(["", ".py"]) for _ in range(8)]
        found = ours.ask({"pattern": encode(pattern), "names": [encode(name) for name in names]})["matches"]
        assert found == [fnmatch.fnmatchcase(name, pattern) for name in names], (pattern, names)


def test_testpaths_are_found_as_glob_finds_them(
    ours: LineServer, source: random.Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("a/b/c/d.py", "a/.hidden/e.py", ".top/f.py", "a/b.py", "x y/é.py", "[z]/g.py", "a/b/b/h.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "broken").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    parts = ["a", "b", "*", "**", "?", "*.py", ".*", "[a-b]", "[[]z]", "..", ".", "", "x*", "link", "broken", "missing"]
    for _ in range(1500):
        pattern = "/".join(source.choice(parts) for _ in range(source.randint(1, 4)))
        if pattern.startswith("/") or ".." in pattern and "**" in pattern:
            continue  # what lies outside of the test's directory is not ours to list
        found = ours.ask({"glob": encode(pattern), "directory": encode(tmp_path)})["paths"]
        # Before Python 3.12 `missing/**` yields `missing/`; nothing can be collected there anyway.
        expected = [path for path in sorted(glob.iglob(pattern, recursive=True)) if os.path.lexists(path)]
        assert [decode(path) for path in found] == expected, pattern
