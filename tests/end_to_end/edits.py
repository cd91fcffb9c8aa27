"""Random edits of a project's files, as people make them and worse: for the tests of `affected`."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path
from typing import Callable, List


class Editor:
    """Edits files below a directory; the same seed gives the same edits of the same files."""

    def __init__(self, root: Path, seed: int, git: bool) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.originals = {path: path.read_bytes() for path in self._files()}
        self.git = git
        if git:
            self._git("init", "-q")
            self._git("add", "-A")
            self._git("commit", "-qm", "first")

    def edit(self) -> str:
        """One edit; says what it was."""
        edits: List[Callable[[Path], None]] = [
            self.change_constant, self.add_comment, self.add_statement, self.add_function, self.add_test,
            self.add_docstring, self.delete_function, self.white_space, self.non_ascii, self.latin_1,
            self.byte_order_mark, self.carriage_returns, self.form_feed, self.syntax_error, self.data_file,
            self.delete, self.rename, self.copy, self.rewrite,
        ]  # fmt: skip
        if self.git:
            edits += [self.commit, self.commit, self.untrack]
        chosen = self.random.choice([*edits, self.revert, self.revert, self.revert])
        path = self.random.choice(self._files())
        chosen(path)
        return f"{chosen.__name__} {path.relative_to(self.root)}"

    def _files(self) -> List[Path]:
        return sorted(path for path in self.root.rglob("*.py") if ".git" not in path.parts)

    def _git(self, *words: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True)

    def _substitute(self, path: Path, pattern: str, replacement: str) -> None:
        """Replaces one match of the pattern, any of them."""
        text = path.read_bytes().decode("latin-1")
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if found:
            match = self.random.choice(found)
            path.write_bytes((text[: match.start()] + match.expand(replacement) + text[match.end() :]).encode("latin-1"))

    def change_constant(self, path: Path) -> None:
        self._substitute(path, r"\b1\b", "(0 + 1)")

    def add_comment(self, path: Path) -> None:
        self._substitute(path, r"\n", f"\\n# comment {self.random.random()}\\n")

    def add_statement(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + f"\nadded_{self.random.randrange(1000)} = 1\n".encode())

    def add_function(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + f"\n\ndef added_{self.random.randrange(1000)}():\n    return 1\n".encode())

    def add_test(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + f"\n\ndef test_added_{self.random.randrange(1000)}():\n    pass\n".encode())

    def add_docstring(self, path: Path) -> None:
        self._substitute(path, r"^(\s*)def (\w+)\(\):\n", r"\1def \2():\n\1    '''Added\n  \n\1    é'''\n")

    def delete_function(self, path: Path) -> None:
        self._substitute(path, r"^def \w+\(.*\):\n(?:(?:[ \t].*)?\n)+", "")

    def white_space(self, path: Path) -> None:
        self._substitute(path, r"^$", "  ")

    def non_ascii(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + "\n# ü€𝄞\n".encode())

    def latin_1(self, path: Path) -> None:
        content = path.read_bytes()
        if content.isascii():
            path.write_bytes(b"# -*- coding: latin-1 -*-\n" + content + b"\n# \xfc\n")

    def byte_order_mark(self, path: Path) -> None:
        content = path.read_bytes()
        if not content.startswith(b"# -*- coding"):
            path.write_bytes(b"\xef\xbb\xbf" + content.lstrip(b"\xef\xbb\xbf"))

    def carriage_returns(self, path: Path) -> None:
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def form_feed(self, path: Path) -> None:
        self._substitute(path, r"^\n", "\f\n")

    def syntax_error(self, path: Path) -> None:
        path.write_bytes(path.read_bytes() + b"\nthis is no Python\n")

    def data_file(self, path: Path) -> None:
        path.with_suffix(".txt").write_text(str(self.random.random()))

    def delete(self, path: Path) -> None:
        path.unlink()

    def rename(self, path: Path) -> None:
        path.rename(path.with_name(path.stem + "_renamed.py"))

    def copy(self, path: Path) -> None:
        path.with_name(path.stem + "_copy.py").write_bytes(path.read_bytes())

    def rewrite(self, path: Path) -> None:
        """The same content with new times and a new inode."""
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)

    def restore(self) -> None:
        """Back to the beginning, without a new time for what is as it was."""
        for path in self._files():
            if path not in self.originals:
                path.unlink()
        for path, content in self.originals.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def revert(self, path: Path) -> None:
        """One file, or most of the time all of them."""
        if self.random.random() < 0.7:
            self.restore()
        elif path in self.originals:
            path.write_bytes(self.originals[path])

    def commit(self, path: Path) -> None:
        self._git("add", "-A")
        self._git("commit", "-qm", "more", "--allow-empty")

    def untrack(self, path: Path) -> None:
        self._git("rm", "-rq", "--cached", "--ignore-unmatch", str(path))
