"""Runs in the interpreter under test: what testmon's own functions say there.

Reads {"sys_path", "commons": {release: testmon/common.py}, "ignores": [[name…]…]} from standard input, writes
{release: [[full text, shortened text] for each list of ignores]}.
"""

import importlib.metadata  # noqa: F401  (before sys.path is replaced)
import importlib.util
import json
import logging  # noqa: F401
import re  # noqa: F401
import sys
import typing  # noqa: F401
import zipfile  # noqa: F401
from pathlib import Path  # noqa: F401


def load(release, path):
    spec = importlib.util.spec_from_file_location("common_" + release.replace(".", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    request = json.load(sys.stdin)
    modules = {release: load(release, path) for release, path in request["commons"].items()}
    sys.path[:] = request["sys_path"]
    answer = {}
    for release, module in modules.items():
        texts = [module.get_system_packages(ignore=ignore) for ignore in request["ignores"]]
        answer[release] = [[text, module.drop_patch_version(text)] for text in texts]
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
