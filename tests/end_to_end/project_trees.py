"""Random projects for the comparison with the real pytest: a directory tree, a configuration, a command line."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List

DIRECTORIES = (
    "tests test testing tests2 src lib pkg sub unit build dist venv CVS _darcs .hidden node_modules thing.egg "
    "__pycache__ a[b] {arch} docs tést deep"
).split() + ["two words"]
OTHER_FILES = "tests.py test.py testfile.py setup.py README.txt test_data.txt test_.txt conftest.pyc".split()
PYTHON_FILES = [
    "test_*.py",
    "*_test.py",
    "check_*.py",
    "tests.py",
    "*.py",
    "test*.py *spec.py",
    "unit/*.py",
    "tests/*/test_*.py",
    "test_[0-4]*.py",
    "test_[!0-4]*.py",
    "test_?.py",
    "__init__.py test_*.py",
    "[a-t]*_*.py",
]
NORECURSE = ["", "build", ".* docs", "tests/unit", "*/sub", "pkg", "t*", "[s-u]*", "src/*"]
TESTPATHS = ["tests", "tests test", "t*", "*/unit", "**", "**/tests", "missing", "src tests missing", "./tests", "tests/", "tests/../src"]
PYTHONPATH = [".", "src", "src lib", "./lib/", "missing", "../outside", "src/../lib ."]


@dataclass
class Case:
    """One project and one pytest command line."""

    root: Path
    directory: Path
    arguments: List[str] = field(default_factory=list)
    environment: Dict[str, str] = field(default_factory=dict)
    sys_path: List[str] = field(default_factory=list)  # besides the first entry
    as_module: bool = False


class Generator:
    def __init__(self, seed: int, root: Path) -> None:
        self.random = random.Random(seed)
        self.root = root
        self.directories = [root]
        self.files: List[Path] = []

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def case(self) -> Case:
        self.root.mkdir()
        self._tree()
        self._links()
        self._configuration()
        directory = self.root if self.chance(0.7) else self.random.choice(self.directories)
        case = Case(self.root, directory)
        case.as_module = self.chance(0.4)
        case.arguments = self._arguments(directory)
        if self.chance(0.15):
            case.environment["PYTEST_ADDOPTS"] = self.random.choice(
                ["-q", "--ignore=tests", "--tb short -rA", "--import-mode=append", "'tests'", "-o testpaths=src"]
            )
        return case

    # --- the tree ---

    def _tree(self) -> None:
        for _ in range(self.random.randint(2, 12)):
            parent = self.random.choice(self.directories)
            path = parent / self.random.choice(DIRECTORIES)
            if len(path.relative_to(self.root).parts) > 4 or path.exists():
                continue
            path.mkdir()
            self.directories.append(path)
        for number in range(self.random.randint(3, 18)):
            self._file(number)
        for directory in self.directories[1:]:
            if self.chance(0.25):
                (directory / "__init__.py").touch()
            if self.chance(0.2):
                (directory / "conftest.py").touch()
            if self.chance(0.06):
                self._virtual_environment(directory)
        if self.chance(0.3):
            (self.root / "conftest.py").touch()
        if self.chance(0.2):
            self.random.choice(self.directories).joinpath("setup.py").touch()

    def _file(self, number: int) -> None:
        names = [f"test_{number}.py", f"m{number}_test.py", f"check_{number}.py", f"test_é{number}.py", f"m{number}.py"]
        name = self.random.choice(names if self.chance(0.85) else OTHER_FILES)
        path = self.random.choice(self.directories) / name
        path.write_text("def test_one(): pass\n" if name.endswith(".py") else "")
        self.files.append(path)

    def _virtual_environment(self, directory: Path) -> None:
        kind = self.random.choice(["pyvenv", "activate", "conda", "empty bin"])
        if kind == "pyvenv":
            (directory / "pyvenv.cfg").touch()
        elif kind == "conda":
            (directory / "conda-meta").mkdir(exist_ok=True)
            (directory / "conda-meta" / "history").touch()
        else:
            (directory / "bin").mkdir(exist_ok=True)
            if kind == "activate":
                (directory / "bin" / "activate").touch()

    def _links(self) -> None:
        for number in range(self.random.choice([0, 0, 0, 1, 2])):
            place = self.random.choice(self.directories)
            kind = self.random.choice(["directory", "file", "broken", "loop"] if number == 0 else ["file", "broken"])
            if kind == "broken":
                (place / f"link{number}").symlink_to("nowhere")
            elif kind == "file" and self.files:
                (place / f"test_link{number}.py").symlink_to(self.random.choice(self.files))
            elif kind == "loop" and self.chance(0.3):
                # One link at most leads to a directory: pytest's work grows exponentially with loops.
                (place / f"link{number}").symlink_to(place)
            elif kind == "directory":
                target = self.random.choice(self.directories)
                if target not in (place, *place.parents):
                    (place / f"link{number}").symlink_to(target)

    # --- the configuration ---

    def _options(self) -> Dict[str, str]:
        options: Dict[str, str] = {}
        for name, values, probability in (
            ("python_files", PYTHON_FILES, 0.4),
            ("norecursedirs", NORECURSE, 0.25),
            ("testpaths", TESTPATHS, 0.35),
            ("pythonpath", PYTHONPATH, 0.35),
            ("addopts", ["-q", "--ignore=build", "--strict-markers -ra", "-v --import-mode=importlib"], 0.2),
            ("console_output_style", ["classic"], 0.1),
        ):
            if self.chance(probability):
                options[name] = self.random.choice(values)
        return options

    def _configuration(self) -> None:
        for _ in range(self.random.choice([0, 1, 1, 1, 2, 3])):
            where = self.root if self.chance(0.75) else self.random.choice(self.directories)
            name, writer = self.random.choice(self._writers())
            path = where / name
            if not path.exists():
                path.write_text(writer(self._options()), encoding="utf-8")

    def _writers(self):
        ini = lambda section: lambda options: self._ini(section, options)  # noqa: E731
        writers = [
            ("pytest.ini", ini("pytest")),
            (".pytest.ini", ini("pytest")),
            ("tox.ini", ini("pytest")),
            ("setup.cfg", ini("tool:pytest")),
            ("tox.ini", ini("testenv")),
            ("pytest.ini", lambda options: ""),
            (".pytest.ini", lambda options: ""),
            ("pyproject.toml", lambda options: "[build-system]\nrequires = []\n"),
            ("pyproject.toml", lambda options: self._toml("tool.pytest.ini_options", options, self.chance(0.5))),
            ("pyproject.toml", lambda options: self._toml("tool.pytest", options, True)),
            ("pytest.toml", lambda options: self._toml("pytest", options, True)),
            (".pytest.toml", lambda options: self._toml("pytest", options, True)),
        ]
        return writers

    def _ini(self, section: str, options: Dict[str, str]) -> str:
        lines = ["# a comment", f"[{section}]"]
        for name, value in options.items():
            words = value.split()
            if len(words) > 1 and self.chance(0.5):
                lines += [f"{name} =", *(f"    {word}" for word in words[:1]), "", "  ; comment", *(f"\t{w}" for w in words[1:])]
            else:
                lines.append(self.random.choice([f"{name} = {value}", f"{name}={value}", f"{name}: {value}"]))
        return "\n".join(lines) + "\n"

    def _toml(self, section: str, options: Dict[str, str], lists: bool) -> str:
        lines = [f"[{section}]"]
        for name, value in options.items():
            as_list = lists and name != "console_output_style"
            quoted = ", ".join(f"'{word}'" for word in value.split())
            lines.append(f"{name} = [{quoted}]" if as_list else f"{name} = '{value}'")
        return "\n".join(lines) + "\n"

    # --- the command line ---

    def _arguments(self, directory: Path) -> List[str]:
        arguments: List[str] = []
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2, 3])):
            arguments.append(self._path_argument(directory))
        for option, probability in (
            ([f"--ignore={self._some_path(directory)}"], 0.15),
            (["--ignore", self._some_path(directory)], 0.1),
            (["--ignore-glob=*/unit/*"], 0.05),
            ([f"--ignore-glob={self.random.choice(['*_1.py', 'tests/*', 'src', '**/sub', 'test_?.py'])}"], 0.1),
            (["--collect-in-virtualenv"], 0.15),
            (["-o", f"python_files={self.random.choice(PYTHON_FILES)}"], 0.08),
            ([f"--override-ini=testpaths={self.random.choice(TESTPATHS)}"], 0.05),
            (["--rootdir", str(self.random.choice(self.directories))], 0.08),
            (["--import-mode", self.random.choice(["append", "importlib", "prepend"])], 0.2),
            (["--noconftest"], 0.04),
            (["--confcutdir", str(self.random.choice(self.directories))], 0.05),
            (["--tb", "short"], 0.1),
            (["-k", "one"], 0.1),
            (["-vv"], 0.1),
            (["-rA"], 0.05),
            (["--keep-duplicates"], 0.05),
            (["--deselect", "nothing"], 0.05),
        ):
            if self.chance(probability):
                position = self.random.randint(0, len(arguments))
                while position > 0 and arguments[position - 1] in ("--ignore", "-o", "--rootdir", "--import-mode", "-k", "--tb", "--confcutdir", "--deselect"):
                    position -= 1
                arguments[position:position] = option
        return arguments

    def _some_path(self, directory: Path) -> str:
        path = self.random.choice([*self.directories[1:], *self.files, self.root / "missing"])
        return str(path) if self.chance(0.3) else os.path.relpath(path, directory)

    def _path_argument(self, directory: Path) -> str:
        unique = [path for path in self.files if path.suffix == ".py" and path.name not in OTHER_FILES]
        if unique and self.chance(0.4):
            path = self.random.choice(unique)
            text = str(path) if self.chance(0.3) else os.path.relpath(path, directory)
            return text + self.random.choice(["", "", "::test_one"])
        path = self.random.choice(self.directories)
        text = str(path) if self.chance(0.3) else os.path.relpath(path, directory)
        return text + self.random.choice(["", "", "/", "/."])
