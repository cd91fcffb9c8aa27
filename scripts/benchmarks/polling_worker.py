"""The design that ours is measured against: a worker that polls for the state file.

Looks after 0.1 s, then after intervals that grow by 1.5 up to 2 s; reads the state, checks its age, writes its
acknowledgment. Nothing else is imported than it needs.
"""

import json
import os
import sys
import time

TIMEOUT = float(os.environ.get("TESTMON_XDIST_WORKER_TIMEOUT", "30"))
CHECK_INTERVAL = 0.1
BACKOFF_FACTOR = 1.5
MAX_INTERVAL = 2.0
STATE_MAX_AGE = 300.0


def wait_for_state(directory):
    path = os.path.join(directory, "controller_ready.json")
    deadline = time.monotonic() + TIMEOUT
    interval = CHECK_INTERVAL
    while True:
        if os.path.exists(path):
            with open(path) as file:
                state = json.load(file)
            if time.time() - state["timestamp"] <= STATE_MAX_AGE:
                return state
        if time.monotonic() >= deadline:
            raise TimeoutError("controller not ready")
        time.sleep(interval)
        interval = min(interval * BACKOFF_FACTOR, MAX_INTERVAL)


def acknowledge(directory, worker_id):
    path = os.path.join(directory, "worker_%s_ready" % worker_id)
    with open(path + ".tmp", "w") as file:
        json.dump({"worker_id": worker_id, "pid": os.getpid(), "timestamp": time.time()}, file)
    os.rename(path + ".tmp", path)


if __name__ == "__main__":
    wait_for_state(sys.argv[1])
    acknowledge(sys.argv[1], sys.argv[2])
