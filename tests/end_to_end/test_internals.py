"""Every name that the plugin relies on is in the newest releases of testmon, xdist, pytest and coverage.

They stand in scripts/pytest-plugin/testmon_precreate/testmon_internals.py and coverage_core.py.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from releases import internals

NAMES = """
import json, os, sys
import coverage.env, testmon.pytest_testmon as plugin
from testmon import common, configure, db, process_code, testmon_core

sync = plugin.TestmonXdistSync()
found = {
    "get_system_packages": callable(plugin.get_system_packages),
    "await_nodes": sync.await_nodes == 0,
    "collection hook": hasattr(sync, "pytest_xdist_node_collection_finished"),
    "DATA_VERSION": isinstance(db.DATA_VERSION, int),
    "eval_environment": callable(testmon_core.eval_environment),
    "get_data_file_path": testmon_core.get_data_file_path() == ".testmondata",
    "drop_patch_version": common.drop_patch_version("a 1.2.3") == "a 1.2",
    "Coverage": testmon_core.Coverage.__name__ == "Coverage",
    "for_worker": callable(testmon_core.TestmonData.for_worker),
    "options": set(configure._get_noselect_reasons({"testmon_forceselect": False, "testmon_noselect": False,
                   "keyword": "", "markexpr": "", "lf": False})) == set(),
    "read_source_sha": process_code.read_source_sha("none") == (None, None),
    "READING_MODULE": "open" in process_code.read_source_sha.__code__.co_names,
    "fetch_current_run_stats": callable(db.DB.fetch_current_run_stats),
    "create_fingerprint": callable(process_code.create_fingerprint) and callable(process_code.blob_to_checksums),
    "SYSMON_DEFAULT": coverage.env.SYSMON_DEFAULT == (sys.version_info >= (3, 14)),
    "core": hasattr(coverage.Coverage(data_file=None, config_file=False).config, "core"),
}
print(json.dumps(found))
"""

OPTIONS = """
import json, os, pathlib, pytest

from testmon_precreate import testmon_internals as internals


def pytest_runtest_teardown(item):
    if "PYTEST_XDIST_WORKER" in os.environ:
        found = {"name2fixturedefs": isinstance(item._fixtureinfo.name2fixturedefs, dict),
                 "_fixture_defs": isinstance(item._request._fixture_defs, dict),
                 "TestmonCollect": item.config.pluginmanager.has_plugin("TestmonCollect")}
        pathlib.Path("found_in_worker.json").write_text(json.dumps(found))


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        names = ("testmon", "testmon_noselect", "testmon_nocollect", "testmon_forceselect", "no-testmon", "tmnet",
                 "environment_expression", "dist", "tx", "px", "numprocesses", "looponfail", "testrunuid", "collectonly",
                 "doctestmodules", "basetemp", *internals.OPTIONS_OF_PYTEST)
        found = {name: hasattr(config.option, name) for name in names}
        select = config.pluginmanager.get_plugin("TestmonSelect")
        found["deselection"] = all(hasattr(select, name) for name in ("deselected_tests", "deselected_files"))
        data = config.testmon_data
        found["all_tests"] = hasattr(data.all_tests, "items")
        for thing, names in ((data, internals.USED_OF_DATA), (data.source_tree, internals.USED_OF_SOURCE_TREE),
                             (data.source_tree.get_file("shop.py"), internals.USED_OF_FILE)):
            found.update({f"{type(thing).__name__}.{name}": hasattr(thing, name) for name in names})
        collectors = config.pluginmanager.hook.pytest_collect_file.get_hookimpls()
        found["collectors"] = {one.plugin_name for one in collectors} == internals.COLLECTORS_OF_PYTEST
        found["make_scheduler"] = hasattr(config.hook, "pytest_xdist_make_scheduler")
        found["syncs"] = [type(one).__name__ for one in config.pluginmanager.get_plugins()].count("TestmonXdistSync")
        pathlib.Path("found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def venv(venvs):
    """The newest releases that go together."""
    newest = venvs.newest_versions(list(internals.SEEN_IN))
    return venvs.get(*(f"{name}=={version}" for name, version in newest.items()))


def test_names_are_there(venv):
    found = json.loads(subprocess.check_output([venv.python, "-c", NAMES], text=True, env=venv.environment()))
    assert [name for name, is_there in found.items() if not is_there] == []


def test_options_and_the_sync_are_there(venv, commands, project):
    (project.path / "conftest.py").write_text(OPTIONS)
    environment = venv.environment(PYTHONPATH=commands.plugin_directory)
    help_text = project.run([venv.python, "-m", "pytest", "--help"], venv.environment()).output
    assert [mode for mode in internals.ADAPTABLE_MODES if f"{mode}:" not in help_text] == [], help_text
    result = project.run([venv.python, "-m", "pytest", "--testmon", "-n", "1"], environment)
    assert result.exit_code == 0, result.output
    found = json.loads((project.path / "found.json").read_text())
    found.update(json.loads((project.path / "found_in_worker.json").read_text()))
    assert [name for name, is_there in found.items() if not is_there] == []
