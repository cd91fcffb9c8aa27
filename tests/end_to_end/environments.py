"""The virtual environments in which the environment key is compared with testmon's own.

Each function makes one kind of environment for one Python and returns what starts it. What costs a package
index is made once and kept (see support.Venvs); what a test adds lies in its own directory.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess

import textwrap
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List

import nasty_metadata
from every_python import newest_testmon
from support import Venvs, clean_environment

BUILD_TOOLS = ("setuptools<80", "pip<25", "wheel")

# Small pure packages for the most part; together with what they need, over 150 distributions.
MANY_REQUIREMENTS = """
    arrow bandit celery cookiecutter fastapi flake8 flask httpx hypothesis ipython jsonschema[format] marshmallow
    mkdocs nbformat nox poetry pre-commit pytest-asyncio pytest-bdd pytest-html pytest-mock pytest-xdist
    requests-cache structlog tinydb tox tqdm twine typer
""".split()


@dataclass
class Environment:
    """How to start the interpreter of an environment."""

    python: str
    working_directory: Path
    variables: Dict[str, str] = field(default_factory=dict)
    additions: List[str] = field(default_factory=list)  # what pytest puts in front of sys.path

    def process_environment(self) -> Dict[str, str]:
        return clean_environment(**self.variables)


def _project(directory: Path, name: str = "old_project", version: str = "1.2.3") -> Path:
    """A project that setuptools of any age can install."""
    directory.mkdir(parents=True)
    (directory / "setup.py").write_text(
        f"from setuptools import setup\nsetup(name={name!r}, version={version!r}, py_modules=['module'])\n"
    )
    (directory / "module.py").write_text("")
    return directory


def _run(*command: str, cwd: Path, **variables: str) -> None:
    result = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=clean_environment(**variables), text=True, capture_output=True
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def _with_build_tools(venvs: Venvs, python: str, version: str, scratch: Path):
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", *BUILD_TOOLS, python=python)
    return venv.copy(scratch / "venv")


def _kept(kind: Callable[..., Environment]) -> Callable[..., Environment]:
    """Makes an environment that installers have to build only once, beside the kept virtual environments."""

    @functools.wraps(kind)
    def get(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
        directory = venvs.directory / f"{kind.__name__}-{version}"
        with open(f"{directory}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (directory / "complete").exists():
                shutil.rmtree(directory, ignore_errors=True)
                directory.mkdir()
                kind(venvs, python, version, directory)
                (directory / "complete").touch()
        return Environment(str(directory / "venv" / "bin" / "python"), scratch)

    return get


def pip(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """What pip installs, wheels only."""
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", *BUILD_TOOLS, python=python)
    return Environment(venv.python, scratch)


@_kept
def editable_new(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """PEP 660: a .dist-info directory and a .pth file or an import hook."""
    venv = _with_build_tools(venvs, python, version, scratch)
    project = _project(scratch / "project", "new.project")
    (project / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    _run(venv.python, "-m", "pip", "install", "-q", "--no-build-isolation", "--no-deps", "-e", project, cwd=scratch)
    assert list(venv.site_packages.glob("new*project-1.2.3.dist-info"))
    return Environment(venv.python, scratch)


@_kept
def editable_old(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """pip without PEP 517: an .egg-link, and the project's own directory with its .egg-info on sys.path."""
    venv = _with_build_tools(venvs, python, version, scratch)
    project = _project(scratch / "project")
    arguments = ["install", "-q", "--no-use-pep517", "--no-build-isolation", "--no-deps", "-e", str(project)]
    _run(venv.python, "-m", "pip", *arguments, cwd=scratch)
    assert list(venv.site_packages.glob("*.egg-link"))
    return Environment(venv.python, scratch)


@_kept
def setup_py_develop(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    venv = _with_build_tools(venvs, python, version, scratch)
    project = _project(scratch / "project", "Developed.Project", "4.5.6.7")
    _run(venv.python, "setup.py", "-q", "develop", "--no-deps", cwd=project)
    assert list(project.glob("*.egg-info"))
    return Environment(venv.python, scratch)


@_kept
def setup_py_install(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """The oldest way: an .egg-info directory in site-packages, and distutils' .egg-info file."""
    venv = _with_build_tools(venvs, python, version, scratch)
    project = _project(scratch / "project")
    record = scratch / "record.txt"
    _run(
        venv.python, "setup.py", "-q", "install", "--single-version-externally-managed", f"--record={record}",
        cwd=project,
    )  # fmt: skip
    (venv.site_packages / "Distutils_Made-0.1.2.egg-info").write_text(
        "Metadata-Version: 1.0\nName: Distutils-Made\nVersion: 0.1.2\nSummary: UNKNOWN\n"
    )
    assert list(venv.site_packages.glob("old_project-1.2.3*.egg-info"))
    return Environment(venv.python, scratch)


def user_site(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """No virtual environment at all: testmon and its dependencies in the user's site directory."""
    source = venvs.get(f"pytest-testmon=={newest_testmon(version)}", python=python)
    minor = ".".join(version.split(".")[:2])
    site = scratch / "base" / "lib" / f"python{minor}" / "site-packages"
    shutil.copytree(source.site_packages, site)
    nasty_metadata.write_distribution(site / "user_only-3.2.1.dist-info", "METADATA", b"Name: user-only\nVersion: 3.2.1\n")
    return Environment(python, scratch, {"PYTHONUSERBASE": str(scratch / "base")})


def system_site_packages(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", python=python).copy(scratch / "venv")
    configuration = venv.path / "pyvenv.cfg"
    lines = [line for line in configuration.read_text().splitlines() if "system-site" not in line]
    configuration.unlink()  # a hard link to the kept environment's
    configuration.write_text("\n".join([*lines, "include-system-site-packages = true", ""]))
    return Environment(venv.python, scratch)


@_kept
def eggs(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """A zipped egg, an unpacked one, and an archive with distributions, all on sys.path by .pth files."""
    venv = _with_build_tools(venvs, python, version, scratch)
    project = _project(scratch / "project", "zipped.egg", "1.0.2.post3")
    _run(venv.python, "setup.py", "-q", "bdist_egg", cwd=project)
    (egg,) = (project / "dist").glob("*.egg")
    shutil.copy(egg, venv.site_packages)
    unpacked = venv.site_packages / "Unpacked-2.0.1-py3.egg"
    with zipfile.ZipFile(egg) as archive:
        archive.extractall(unpacked)
    (unpacked / "EGG-INFO" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: Unpacked\nVersion: 2.0.1\n")
    nasty_metadata.write_archive(venv.site_packages / "application.zip")
    entries = [egg.name, unpacked.name, "application.zip", "not-a-zip.egg", "missing.egg"]
    (venv.site_packages / "not-a-zip.egg").write_bytes(b"PK\x05\x06 not a zip file" * 10)
    (venv.site_packages / "easy-install.pth").write_text("".join(f"./{entry}\n" for entry in entries))
    return Environment(venv.python, scratch)


def many(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """Over 150 real distributions."""
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", *MANY_REQUIREMENTS, python=python, compiled=False)
    assert len(list(venv.site_packages.glob("*.dist-info"))) >= 150
    return Environment(venv.python, scratch)


def nasty(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """Metadata that no installer would write, spread over several entries of sys.path."""
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", python=python)
    nasty_metadata.write_directory(scratch / "nasty")
    nasty_metadata.write_directory(scratch / "again.egg")
    nasty_metadata.write_distribution(scratch / "again.egg" / "eGG-info", "PKG-INFO", b"Name: in-egg\nVersion: 1.0.1\n")
    nasty_metadata.write_distribution(
        scratch / "again.egg" / "normal-1.0.0.dist-info", "METADATA", b"Name: normal\nVersion: 99.1.2\n"
    )
    nasty_metadata.write_distribution(scratch / "relative" / "rel.dist-info", "METADATA", b"Name: rel\nVersion: 7\n")
    nasty_metadata.write_distribution(scratch / "here.dist-info", "METADATA", b"Name: here\nVersion: 8.8.8\n")
    nasty_metadata.write_distribution(scratch / "slash" / "EGG-INFO", "PKG-INFO", b"Name: slash\nVersion: 9\n")
    nasty_metadata.write_distribution(scratch / "closed" / "c.dist-info", "METADATA", b"Name: closed\nVersion: 5\n")
    (scratch / "closed").chmod(0)
    (scratch / "a-file").write_text("not a directory")
    (scratch / "link").symlink_to("nasty")
    (scratch / "loop").symlink_to("loop")
    path = [scratch / name for name in ("nasty", "again.egg", "closed", "a-file", "link", "loop", "absent")]
    return Environment(
        venv.python,
        scratch,
        {"PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"},
        ["", "relative", "./relative", ".", f"{scratch}/slash/", f"{scratch}//nasty"],
    )


def meta_path_finder(venvs: Venvs, python: str, version: str, scratch: Path) -> Environment:
    """An import hook of the environment that finds distributions which no directory shows."""
    venv = venvs.get(f"pytest-testmon=={newest_testmon(version)}", python=python).copy(scratch / "venv")
    (venv.site_packages / "hook.pth").write_text("import hook\n")
    (venv.site_packages / "hook.py").write_text(
        textwrap.dedent(
            """
            import sys

            class Finder:
                @classmethod
                def find_spec(cls, name, path=None, target=None):
                    return None

                @classmethod
                def find_distributions(cls, context=None):
                    import importlib.metadata

                    class Virtual(importlib.metadata.Distribution):
                        def read_text(self, filename):
                            return "Name: virtual\\nVersion: 6.5.4\\n" if filename == "METADATA" else None

                        def locate_file(self, path):
                            return path

                    yield Virtual()

            sys.meta_path.append(Finder)
            """
        )
    )
    return Environment(venv.python, scratch)


KINDS: Dict[str, Callable[[Venvs, str, str, Path], Environment]] = {
    function.__name__: function
    for function in (
        pip, editable_new, editable_old, setup_py_develop, setup_py_install, user_site, system_site_packages, eggs,
        many, nasty, meta_path_finder,
    )
}  # fmt: skip

