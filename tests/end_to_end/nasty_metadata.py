"""Metadata that no installer would write: a fixed collection, and a random one from a seed."""

from __future__ import annotations

import os
import random
import zipfile
from pathlib import Path
from typing import Dict, List

FILLER = b"".join(b"Classifier: number %d\n" % i for i in range(600))

# By name of a .dist-info directory: its METADATA.
TEXTS: Dict[str, bytes] = {
    "normal-1.0.0": b"Metadata-Version: 2.1\nName: normal\nVersion: 1.0.0\n\nA text.\nName: body\n",
    "no_name": b"Metadata-Version: 2.1\nVersion: 1.0.1\n",
    "no_version": b"Metadata-Version: 2.1\nName: no-version\n",
    "neither": b"Metadata-Version: 2.1\n\nName: in-body\nVersion: 1\n",
    "empty_values": b"Name:\nVersion:\n",
    "blank_values": b"Name: \t \nVersion:\t\t\n",
    "folded_name": b"Name: folded\n name\nVersion: 1.0.2\n",
    "folded_deep": b"Name: folded\n\t\tdeep\n        and deeper\n   \nVersion: 1.0.3\n",
    "folded_spaces": b"Name: folded\n         nine\n           eleven\nVersion: 1.0.3\n",
    "folded_from_start": b"Name:\n folded-start\nVersion:\n  1.0.4\n  beta\n",
    "folded_trailing": b"Name: trailing  \n \nVersion: 1.0.5 \t\n",
    "folded_tabs": b"Name: tabs\n\tone\n\t two\n \tthree\nVersion: 1\n 2\n",
    "duplicates": b"Name: first\nName: second\nVersion: 1\nVersion: 2\n",
    "case": b"nAmE: case\nVERSION: 1.0.6\n",
    "space_before_colon": b"Metadata-Version: 2.1\nName : spaced\nVersion: 1\n",
    "blank_first": b"\nName: late\nVersion: 1\n",
    "space_first": b" folded nothing\nName: after-fold\nVersion: 1.0.7\n",
    "space_line": b"Name: space-line\n   \nVersion: 1.0.8\n",
    "from_first": b"From somebody\n folded\nName: from-first\nVersion: 1.0.9\n",
    "from_middle": b"Name: from-middle\nFrom somebody\n folded\nVersion: 1.1.0\n",
    "from_last": b"Name: from-last\nVersion: 1.1.1\nFrom the end: no\n",
    "from_only": b"From me",
    "from_colon": b"From: me\nName: from-colon\nVersion: 1.1.1\n",
    "no_header_name": b": nothing\n folded\nName: colon-first\nVersion: 1.1.2\n",
    "double_colon": b"Name:: double\nVersion::1\n",
    "broken_line": b"Name: broken\nthis is no header\nVersion: 1\n",
    "byte_order_mark": b"\xef\xbb\xbfName: bom\nVersion: 1\n",
    "crlf": b"Name: crlf\r\n folded\r\nVersion: 1.1.3\r\n\r\nbody",
    "cr": b"Name: cr\rVersion: 1.1.4\r\rName: body",
    "mixed_ends": b"Name: mixed\r\n a\r b\n c\nVersion: 1.1.5\n\r",
    "cr_cr_lf": b"Name: crcrlf\r\r\nVersion: 1\n",
    "other_line_ends": "Name: a\u2028b\x0bc\x0cd\x85e\x1cf\u2029g\nVersion: 1\x0b2\n".encode(),
    "non_ascii": "Name: Größe-日本語\nVersion: 1.2.3\n".encode(),
    "astral": "Name: 🐍𝔘\nVersion: 1.2.3\n".encode(),
    "superscript": "Name: super²\nVersion: 1.2.3²\n".encode(),
    "combining": "Name: cafe\u0301 x\nVersion: 1.2.3\n".encode(),
    "non_breaking": "Name: a\u00a0b\nVersion: 1.2.3\n".encode(),
    "non_ascii_header": "Größe: 1\nName: unseen\nVersion: 1\n".encode(),
    "nul": b"Name: n\x00ul\nVersion: 1.\x002.3\n",
    "control": b"Name: c\x01\x7f\x1b[0m\nVersion: 1\n",
    "delete_in_header": b"X\x7f: 1\nName: unseen\nVersion: 1\n",
    "tilde_header": b"X~!#: 1\nName: tilde\nVersion: 1.0.1\n",
    "no_final_newline": b"Name: no-newline\nVersion: 1.1.6",
    "trailing_cr": b"Name: trailing-cr\nVersion: 1.1.7\r",
    "only_name": b"Name: x",
    "only_newline": b"\n",
    "only_space": b" ",
    "late": FILLER + b"Name: late-name\n folded\n" + FILLER + b"Version: 1.1.8\n\n" + FILLER,
    "late_missing": FILLER + b"Name: late-missing\n" + FILLER + b"\n" + FILLER + b"Version: 1\n",
    "never_ending": FILLER * 3,
    "long_value": b"Name: " + b"x" * 5000 + b"\nVersion: 1.1.9\n",
    "long_fold": b"Name: x\n" + b" y\n" * 2000 + b"Version: 1.2.0\n",
    "multipart": b"Content-Type: multipart/mixed; boundary=x\nName: multipart\nVersion: 1.2.1\n\n--x\nName: part\n\n--x--\n",
    "comma": b"Name: a, b 1.2.3, c\nVersion: 4.5.6, d 7.8.9\n",
    "spaces_inside": b"Name: foo 1.2.3 bar\nVersion: 4.5.6 baz 7.8.9.1\n",
    "dashes": b"Name: --dash-- -\nVersion: 1.2.3-4 5.6.7\n",
    "underscore": b"Name: _under_\nVersion: 1.2.3_4\n",
    "dots": b"Name: name.with.dots\nVersion: 1.2.3.4.5.6\n",
    "local": b"Name: local\nVersion: 1.2.3+local.1\n",
    "two_components": b"Name: two\nVersion: 1.2\n",
    "calendar": b"Name: calendar\nVersion: 2024.01.02\n",
    "unknown": b"Name: UNKNOWN\nVersion: 1.2.3\n",
    "unknown_lower": b"Name: unknown\nVersion: 1.2.3\n",
    "zeros": b"Name: zeros\nVersion: 0.0.0\n",
    "both_unknown": b"Name: UNKNOWN\nVersion: 0.0.0\n",
    "almost_zeros": b"Name: almost-zeros\nVersion: 0.0.0 \n",
    "testmon_itself": b"Name: pytest-testmon\nVersion: 0.1.2\n",
    "testmon_case": b"Name: Pytest-Testmon\nVersion: 0.1.2\n",
    "none": b"Name: None\nVersion: None\n",
}
for _size in range(1018, 1031):  # line ends around the end of the first part that is read
    TEXTS[f"boundary_{_size}"] = b"X: " + b"x" * (_size - 30) + b"\r\nName: b%d\r\n y\r\nVersion: 1.2.3\r\n\r\n" % _size


def write_distribution(directory: Path, name: str, content: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_bytes(content)


def write_directory(root: Path) -> None:
    """Every text above as a .dist-info directory, and shapes of directories that no installer makes."""
    for name, content in TEXTS.items():
        write_distribution(root / f"{name}.dist-info", "METADATA", content)
    version = b"Version: 1.0.1\n"
    (root / "file-1.egg-info").write_bytes(b"Name: egg-file\n" + version)
    (root / "file-1.dist-info").write_bytes(b"Name: dist-file\n" + version)
    (root / "empty_file.egg-info").write_bytes(b"")
    (root / "empty.dist-info").mkdir()
    (root / "empty.egg-info").mkdir()
    write_distribution(root / "both.egg-info", "PKG-INFO", b"Name: both-pkg-info\n" + version)
    write_distribution(root / "both.egg-info", "METADATA", b"Name: both-metadata\n" + version)
    write_distribution(root / "empty_metadata.dist-info", "METADATA", b"")
    write_distribution(root / "empty_metadata.dist-info", "PKG-INFO", b"Name: second-choice\n" + version)
    write_distribution(root / "all_empty.dist-info", "METADATA", b"")
    write_distribution(root / "wrong_case.dist-info", "metadata", b"Name: lower-case\n" + version)
    write_distribution(root / "UPPER.DIST-INFO", "METADATA", b"Name: upper\n" + version)
    write_distribution(root / "Mixed.Egg-Info", "PKG-INFO", b"Name: mixed\n" + version)
    write_distribution(root / "with.dots.1.0.dist-info", "METADATA", b"Name: with.dots\n" + version)
    write_distribution(root / "-info", "METADATA", b"Name: unseen-1\n" + version)
    write_distribution(root / "x.dist-info.bak", "METADATA", b"Name: unseen-2\n" + version)
    write_distribution(root / "xdist-info", "METADATA", b"Name: unseen-3\n" + version)
    write_distribution(root / "x.dist-\u212anfo", "METADATA", b"Name: unseen-4\n" + version)
    write_distribution(root / "x.d\u0130st-info", "METADATA", b"Name: unseen-5\n" + version)
    write_distribution(root / ".dist-info", "METADATA", b"Name: only-suffix\n" + version)
    write_distribution(root / ".egg-info", "PKG-INFO", b"Name: only-egg-suffix\n" + version)
    write_distribution(root / "EGG-INFO", "PKG-INFO", b"Name: plain-egg-info\n" + version)
    write_distribution(root / "sp ace\n.dist-info", "METADATA", b"Name: newline-directory\n" + version)
    write_distribution(
        Path(os.fsdecode(os.fsencode(root) + b"/raw\xff\xfe.dist-info")), "METADATA", b"Name: raw-directory\n" + version
    )
    (root / "directory.dist-info" / "METADATA").mkdir(parents=True)
    write_distribution(root / "directory.dist-info", "PKG-INFO", b"Name: beside-directory\n" + version)
    (root / "dangling.dist-info").mkdir()
    (root / "dangling.dist-info" / "METADATA").symlink_to("nowhere")
    (root / "linked.dist-info").symlink_to("normal-1.0.0.dist-info")
    (root / "gone.dist-info").symlink_to("nowhere")
    write_distribution(root / "unreadable.dist-info", "METADATA", b"Name: unreadable\n" + version)
    (root / "unreadable.dist-info" / "METADATA").chmod(0)
    write_distribution(root / "closed.egg-info", "PKG-INFO", b"Name: closed\n" + version)
    (root / "closed.egg-info").chmod(0)


def write_archive(file: Path) -> None:
    """A zip with something before it, a comment after it, and metadata in every place."""
    version = b"Version: 3.2.1\n"
    file.write_bytes(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("module.py", b"")
        archive.writestr("stored.dist-info/METADATA", b"Name: stored\n" + version + b"\n" + FILLER)
        archive.writestr("packed.dist-info/METADATA", FILLER + b"Name: packed\n" + version, zipfile.ZIP_DEFLATED)
        archive.writestr("crlf.egg-info/PKG-INFO", b"Name: zip-crlf\r\n fold\r\n" + version, zipfile.ZIP_DEFLATED)
        archive.writestr("explicit.dist-info/", b"")
        archive.writestr("explicit.dist-info/METADATA", b"Name: explicit\n" + version)
        archive.writestr("empty.dist-info/", b"")
        archive.writestr("file.egg-info", b"Name: file-in-zip\n" + version)
        archive.writestr("empty_metadata.dist-info/METADATA", b"")
        archive.writestr("empty_metadata.dist-info/PKG-INFO", b"Name: zip-second-choice\n" + version)
        archive.writestr("deep/inner.dist-info/METADATA", b"Name: too-deep\n" + version)
        archive.writestr("EGG-INFO/PKG-INFO", b"Name: no-egg\n" + version)
        archive.writestr("größe.dist-info/METADATA", "Name: größe\n".encode() + version)
        archive.comment = b"a comment"


def random_texts(seed: int, count: int) -> List[bytes]:
    """Texts of headers, line ends, folds and broken lines in random order."""
    source = random.Random(seed)
    names = ["Name", "Version", "name", "VERSION", "Metadata-Version", "Summary", "", "X y", "Größe", "From ", "From"]
    values = ["", "a", "b-c_d", "1.2.3", " spaced ", "\tt\t", "é", "日本", "\u2028", "\x0b", "\x00", "a:b", "\x1c", "\x85", "\ufeff"]
    folds = ["", "", "", "", " f", "\tg", "  ", "\t", " \t deep", "        eight", "         nine"]
    ends = ["\n"] * 12 + ["\r\n", "\r\n", "\r", "\n\n", "\r\r\n", ""]
    separators = [":"] * 8 + [": ", ":\t", " :", "", "::"]
    texts = []
    for _ in range(count):
        lines: List[str] = []
        if source.random() < 0.05:
            lines.append("\ufeff")
        for _ in range(source.randint(0, 9)):
            kind = source.random()
            if kind < 0.75:
                lines += [source.choice(names), source.choice(separators), source.choice(values), source.choice(ends)]
            elif kind < 0.95:
                lines += [source.choice(folds), source.choice(values), source.choice(ends)]
            else:
                lines += ["X: " + "y" * source.randint(0, 2100), source.choice(ends)]
        text = "".join(lines).encode()
        if source.random() < 0.05 and text:
            position = source.randrange(len(text))
            text = text[:position] + bytes([source.randrange(256)]) + text[position:]
        texts.append(text)
    return texts


def random_package_texts(seed: int, count: int) -> List[str]:
    """Texts in which testmon's regular expression matches, or nearly."""
    source = random.Random(seed)
    pieces = [
        "a", "foo", "_", "-", "--", " ", " ", ",", ", ", ".", ".", ".", "1", "23", "4", "b5", "é", "日",
        "\n", "\x1c", "foo 1.2.3", "x 1.2", "\x00",
    ]  # fmt: skip
    return ["".join(source.choice(pieces) for _ in range(source.randint(0, 25))) for _ in range(count)]
