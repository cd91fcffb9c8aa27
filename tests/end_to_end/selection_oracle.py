"""A pytest plugin for the tests of `affected`: writes what testmon selects to the file $SELECTION_ORACLE names.

Loaded by `-p selection_oracle`. With `--collect-only` and `--testmon-nocollect` it changes nothing that testmon keeps.
"""

from __future__ import annotations

import json
import os


def pytest_collection_finish(session):
    data = getattr(session.config, "testmon_data", None)
    if data is None:
        return
    with open(os.environ["SELECTION_ORACLE"], "w") as file:
        json.dump(
            {
                "selected": [item.nodeid for item in session.items],
                "recorded": sorted(data.all_tests),
                "affected": sorted(set(data.unstable_test_names) | set(data.failing_tests)),
            },
            file,
        )
