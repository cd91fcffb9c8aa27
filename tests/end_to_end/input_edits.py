"""Random edits of what tests depend on without executing it, and what they do to the tests' outcomes."""

from __future__ import annotations

import ast
import json
import random
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

from support import Project, Venv

OUTCOME_WRITER = """
import json, os
found = {}


def pytest_runtest_logreport(report):
    if report.outcome != "passed" or report.when == "call":
        found[report.nodeid] = report.outcome + str(hasattr(report, "wasxfail"))


def pytest_sessionfinish():
    with open(os.environ["OUTCOMES"], "w") as file:
        json.dump(found, file)
"""


def outcomes(project: Project, venv: Venv, environment: Dict[str, str], scratch: Path) -> Dict[str, str]:
    """Of all tests, without testmon; nothing if pytest does not get to them."""
    (scratch / "outcome_writer.py").write_text(OUTCOME_WRITER)
    file = scratch / "outcomes.json"
    file.unlink(missing_ok=True)
    environment = {name: value for name, value in environment.items() if name != "PYTEST_PLUGINS"}
    environment.update(OUTCOMES=str(file), PYTHONPATH=f"{scratch}:{environment['PYTHONPATH']}")
    options = ["-q", "--tb=no", "-p", "outcome_writer", "-p", "no:testmon", "-p", "no:cacheprovider"]
    options += ["--continue-on-collection-errors"]
    project.run([venv.python, "-m", "pytest", *options], environment, timeout=600)
    return json.loads(file.read_text()) if file.exists() else {}


def constants(values: List[Any]) -> List[ast.Constant]:
    nodes = [node for value in values if value is not None for node in ast.walk(value)]
    return [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, (int, str))]


def assigned(body: List[ast.stmt]) -> List[Any]:
    return [node.value for node in body if isinstance(node, (ast.Assign, ast.AnnAssign))]


def each(tree: ast.AST, *kinds: Any) -> Iterator[Any]:
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


class InputEditor:
    """Edits files of a source distribution, its Python files and the data of its tests."""

    def __init__(self, root: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.root = root
        left_out = {"docs", "examples", "build", "setup.py"}
        self.python = [path for path in sorted(root.rglob("*.py")) if not left_out & set(path.relative_to(root).parts)]
        kinds = (".json", ".sql", ".html", ".txt", ".md")
        self.data = [path for path in sorted(root.glob("**/tests/**/*")) if path.suffix in kinds and path.is_file()]
        self.originals = {path: path.read_bytes() for path in [*self.python, *self.data]}
        self.edits: List[Callable[[], str]] = [
            self.constant, self.class_attribute, self.default, self.decorator, self.body,
            self.package, self.conftest, self.data_file,
        ]  # fmt: skip
        self.count = 0

    def edit(self) -> str:
        """The kinds take turns; one that the project has no place for is left out. Says what it was."""
        while True:
            self.count += 1
            made = self.edits[self.count % len(self.edits)]()
            if made:
                return made

    def restore(self) -> None:
        for path, content in self.originals.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def constant(self) -> str:
        return self._change(self._choose(self.python, lambda tree: constants(assigned(tree.body))))

    def class_attribute(self) -> str:
        return self._change(
            self._choose(self.python, lambda tree: [n for c in each(tree, ast.ClassDef) for n in constants(assigned(c.body))])
        )

    def default(self) -> str:
        def find(tree: Any) -> List[Any]:
            functions = each(tree, ast.FunctionDef)
            return [node for one in functions for node in constants([*one.args.defaults, *one.args.kw_defaults])]

        return self._change(self._choose(self.python, find))

    def decorator(self) -> str:
        def find(tree: Any) -> List[Any]:
            return [one for node in each(tree, ast.FunctionDef, ast.ClassDef) for one in node.decorator_list]

        return self._replace(self._choose(self.python, find), "(lambda decorated: decorated)")

    def body(self) -> str:
        return self._raise_in(self.python)

    def conftest(self) -> str:
        return self._raise_in([path for path in self.python if path.name == "conftest.py"])

    def package(self) -> str:
        """A re-export goes."""
        packages = [path for path in self.python if path.name == "__init__.py"]
        return self._replace(self._choose(packages, lambda tree: list(each(tree, ast.ImportFrom))), "pass")

    def data_file(self) -> str:
        if not self.data:
            return ""
        path = self.random.choice(self.data)
        content = path.read_bytes()
        words = list(re.finditer(rb"[A-Za-z]{3,}", content))
        if not words or self.random.random() < 0.3:
            path.write_bytes(b"")
            return f"{path.name} emptied"
        word = self.random.choice(words)
        path.write_bytes(content[: word.start()] + b"Zq" + content[word.end() :])
        return f"{path.name} byte {word.start()}"

    # --- Places ---

    def _choose(self, paths: List[Path], find: Callable[[Any], List[Any]]) -> Tuple[Any, Any]:
        """A file, and a node of it that `find` finds."""
        for path in self.random.sample(paths, len(paths)):
            try:
                nodes = find(ast.parse(path.read_text()))
            except (SyntaxError, UnicodeDecodeError):
                continue
            if nodes:
                return path, self.random.choice(nodes)
        return None, None

    def _raise_in(self, paths: List[Path]) -> str:
        place = self._choose(paths, lambda tree: [node.body[-1] for node in each(tree, ast.FunctionDef)])
        return self._replace(place, "raise RuntimeError('edited')")

    def _change(self, place: Tuple[Any, Any]) -> str:
        value = getattr(place[1], "value", None)
        if isinstance(value, bool):
            return self._replace(place, repr(not value))
        return self._replace(place, repr(value + 1 if isinstance(value, int) else f"{value}X"))

    def _replace(self, place: Tuple[Any, Any], text: str) -> str:
        path, node = place
        if path is None:
            return ""
        lines = path.read_bytes().split(b"\n")
        first, last = node.lineno - 1, node.end_lineno - 1
        whole = lines[first][: node.col_offset] + text.encode() + lines[last][node.end_col_offset :]
        lines[first : last + 1] = [whole]
        path.write_bytes(b"\n".join(lines))
        return f"{path.relative_to(self.root)}:{node.lineno} {text}"
