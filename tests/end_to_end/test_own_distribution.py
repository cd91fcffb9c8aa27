"""The project's own version is no dependency: real editable installs, real runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from plugin_support import assert_clean, plugin_environment, run
from support import Project, clean_environment

# How many versions a project goes through; TESTMON_PRECREATE_VERSIONS=7 does it for every backend.
VERSIONS = int(os.environ.get("TESTMON_PRECREATE_VERSIONS", "2"))
TESTS = 2
BACKENDS = {
    "setuptools": ("setuptools.build_meta", '[tool.setuptools.packages.find]\nwhere = ["src"]\n'),
    "hatchling": ("hatchling.build", '[tool.hatch.build.targets.wheel]\npackages = ["src/shop"]\n'),
    "poetry": ("poetry.core.masonry.api", '[tool.poetry]\npackages = [{include = "shop", from = "src"}]\n'),
    "flit": ("flit_core.buildapi", ""),
}
NEW = ("pytest-testmon==2.2.0", "pytest>=8,<9", "pytest-xdist==3.8.0", "setuptools<80", "wheel", "hatchling",
       "poetry-core>=2", "flit_core>=3.9", "editables")  # fmt: skip
OLD = ("pytest-testmon==2.1.3", "pytest>=8,<9", "pytest-xdist==3.6.1", "setuptools<80", "wheel")


class Editable:
    """A project that is installed into an environment of its own, as `pip install -e` has it."""

    def __init__(self, project: Project, venv, backend: str) -> None:
        self.project = project
        self.venv = venv
        self.backend = backend
        (project.path / "src" / "shop").mkdir(parents=True)
        (project.path / "tests").mkdir()
        (project.path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\n")
        (project.path / "tests" / "test_shop.py").write_text(
            "import shop\n\n\ndef test_one():\n    assert shop.price(1) == 2\n\n\n"
            "def test_none():\n    assert shop.price(0) == 0\n"
        )
        (project.path / "src" / "shop" / "__init__.py").write_text(
            '"""A shop."""\n\n\ndef price(count):\n    return 2 * count\n'
        )

    def install(self, version: str, more: str = "") -> None:
        if self.backend == "develop":
            self._develop(version, more)
            return
        backend, options = BACKENDS[self.backend]
        (self.project.path / "pyproject.toml").write_text(
            f'[build-system]\nrequires = []\nbuild-backend = "{backend}"\n\n'
            f'[project]\nname = "shop"\nversion = "{version}"\ndescription = "A shop"\n{more}\n{options}'
        )
        uv = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--python", self.venv.python]
        self._call(*uv, "--no-build-isolation", "--no-deps", "--offline", "-e", str(self.project.path))

    def _develop(self, version: str, more: str) -> None:
        """As it was before PEP 660: an .egg-link, and the source directory on sys.path."""
        requirements = "['pytest']" if "dependencies" in more else "[]"
        (self.project.path / "setup.py").write_text(
            "from setuptools import setup\n"
            f"setup(name='shop', version={version!r}, package_dir={{'': 'src'}}, packages=['shop'],"
            f" install_requires={requirements})\n"
        )
        self._call(self.venv.python, "setup.py", "-q", "develop", "--no-deps")
        assert list(self.venv.site_packages.glob("*.egg-link"))

    def _call(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.project.path, env=clean_environment(), text=True, capture_output=True
        )
        assert done.returncode == 0, done.stderr

    def texts(self):
        return [row[0] for row in self.project.rows("SELECT system_packages FROM environment")]


@pytest.fixture
def make(venvs, tmp_path):
    def make(backend: str = "setuptools", requirements=NEW) -> Editable:
        venv = venvs.get(*requirements).copy(tmp_path / "venv")
        (tmp_path / "shop").mkdir()
        return Editable(Project(tmp_path / "shop"), venv, backend)

    return make


@pytest.mark.parametrize("backend", ["develop", *BACKENDS])
def test_a_new_version_is_no_reason_to_run(backend, make, commands):
    shop = make(backend)
    environment = plugin_environment(shop.venv, commands)
    for number in range(max(VERSIONS, 7 if backend == "setuptools" else 2)):
        shop.install(f"{number}.{number}.dev3")
        result = run(shop.project, shop.venv, environment, "-n", "2" if number == 1 else "0")
        assert result.passed == (0 if number else TESTS), (number, result.output)
        assert_clean(shop.project, result)
    (text,) = shop.texts()
    assert f"shop {number}." in text
    shop.install("9.0", 'dependencies = ["pytest"]')
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == TESTS


def test_entry_points_count_also_without_a_new_version(make, commands):
    shop = make()
    environment = plugin_environment(shop.venv, commands)
    with_command = '[project.scripts]\nshop = "shop:price"\n'
    shop.install("1.0")
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == TESTS
    shop.install("1.0", with_command)
    assert run(shop.project, shop.venv, environment, "-n", "2").passed == TESTS
    # As when branches are switched: what was parked comes back, whatever the version is by then.
    shop.install("1.1")
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == 0
    shop.install("1.2", with_command)
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == 0


def test_the_code_still_counts_and_the_variable_puts_the_version_back(make, commands):
    shop = make()
    environment = plugin_environment(shop.venv, commands)
    shop.install("1.0")
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == TESTS
    module = shop.project.path / "src" / "shop" / "__init__.py"
    module.write_text(module.read_text().replace("2 * count", "count * 2"))
    shop.install("1.1")
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == TESTS
    shop.install("1.2")
    counted = {**environment, "TESTMON_XDIST_OWN_DISTRIBUTION": "true"}
    assert run(shop.project, shop.venv, counted, "-n", "2").passed == TESTS
    assert run(shop.project, shop.venv, counted, "-n", "2").passed == 0
    assert run(shop.project, shop.venv, environment, "-n", "0").passed == 0


def test_a_copy_in_site_packages_counts_with_its_version(make, commands):
    """testmon does not follow it."""
    shop = make()
    environment = plugin_environment(shop.venv, commands)
    for version in ("1.0", "1.1"):
        shop.install(version)
        (record,) = shop.venv.site_packages.glob("shop-*.dist-info/direct_url.json")
        record.write_text(record.read_text().replace('"editable":true', '"editable":false'))
        assert run(shop.project, shop.venv, environment, "-n", "0").passed == TESTS


@pytest.mark.parametrize("requirements", [OLD, NEW], ids=lambda requirements: requirements[0])
def test_runs_with_and_without_the_plugin_share_one_row(requirements, make, commands):
    shop = make(requirements=requirements)
    with_plugin, without = plugin_environment(shop.venv, commands), shop.venv.environment(commands)

    def stock(prepared: bool) -> int:
        if prepared:
            result = commands.run(
                commands.precreate, "prepare", "--", "python", "-m", "pytest", cwd=shop.project.path, env=without
            )
            assert result.returncode == 0, result.stderr
        count = run(shop.project, shop.venv, without, "-n", "0").passed
        commands.run(commands.precreate, "cleanup", cwd=shop.project.path, env=without)
        return count

    def plugged() -> int:
        return run(shop.project, shop.venv, with_plugin, "-n", "2").passed

    shop.install("1.0")
    assert stock(prepared=False) == TESTS
    shop.install("1.1")
    assert plugged() == 0
    assert stock(prepared=False) == 0  # testmon finds just the text that it computes itself
    shop.install("1.2")
    assert stock(prepared=True) == 0
    assert plugged() == 0
    shop.install("1.3", 'dependencies = ["pytest"]')
    assert stock(prepared=True) == TESTS
    assert plugged() == 0
    shop.install("1.4", 'dependencies = ["pytest"]')
    assert plugged() == 0
    assert stock(prepared=True) == 0


def test_explain_says_so(make, commands):
    shop = make()
    environment = plugin_environment(shop.venv, commands)
    shop.install("1.0")
    run(shop.project, shop.venv, environment, "-n", "0")

    def explain() -> str:
        command = [commands.precreate, "explain", "--", "python", "-m", "pytest"]
        result = commands.run(*command, cwd=shop.project.path, env=environment)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert "own " not in explain()
    shop.install("1.4")
    told = explain()
    assert "has these packages" in told and "shop 1.0 -> 1.4: the project's own version is no dependency" in told
    shop.install("1.4", 'dependencies = ["pytest"]')
    told = explain()
    assert "every test runs" in told and "shop: its entry points or requirements have changed" in told
