"""The directory protocol as a small state machine, driven at random against the real commands.

The model knows what is in the directory: whose state, whether its controller lives, who has acknowledged, which
foreign files lie about. Each step runs one command, or several at once, and compares exit code, output and
directory with the model. The seed is printed; TESTMON_PRECREATE_SEED repeats a run, TESTMON_PRECREATE_MODEL_STEPS
changes its length.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from typing import Dict, List, Optional, Set

import pytest
from coordination_support import STATE, Controller, Rootdir, finish
from support import chosen_seed

STEPS = int(os.environ.get("TESTMON_PRECREATE_MODEL_STEPS", "3000"))
ROUNDS = int(os.environ.get("TESTMON_PRECREATE_WAITER_ROUNDS", "100"))
WAITERS = 64


class Run:
    """A run that has prepared, as the model remembers it."""

    def __init__(self, uid: str, controller: Optional[Controller]) -> None:
        self.uid = uid
        self.controller = controller
        self.alive = controller is not None


class Model:
    def __init__(self, rootdir: Rootdir, seed: int) -> None:
        self.random = random.Random(seed)
        self.rootdir = rootdir
        self.run: Optional[Run] = None
        self.acknowledged: Set[str] = set()
        self.foreign: Dict[str, bytes] = {}
        self.runs = 0
        self.steps = 0
        self.controllers: List[Controller] = []

    # --- steps; each checks what it sees against the model ---

    def prepare(self) -> None:
        self.runs += 1
        uid = f"run{self.runs}"
        controller = self.new_controller() if self.random.random() < 0.7 else None
        arguments = ["--run-uid", uid]
        if controller:
            arguments += ["--controller-pid", str(controller.pid)]
        code = self.rootdir.prepare(*arguments).returncode
        if self.run and self.run.alive:
            assert code == 9
        else:
            assert code == 0
            self.run = Run(uid, controller)
            self.acknowledged = set()

    def prepare_again(self) -> None:
        if not self.run or (self.run.controller and not self.run.alive):
            return
        arguments = ["--run-uid", self.run.uid]
        if self.run.controller:
            arguments += ["--controller-pid", str(self.run.controller.pid)]
        assert self.rootdir.prepare(*arguments).returncode == 0

    def crash(self) -> None:
        if self.run and self.run.alive and self.run.controller:
            self.run.controller.kill()
            self.run.alive = False

    def expected_code(self, uid: Optional[str]) -> int:
        if not self.run:
            return 4
        if uid and uid != self.run.uid:
            return 4
        return 3 if self.run.controller and not self.run.alive else 0

    def any_uid(self) -> Optional[str]:
        return self.random.choice([None, self.run.uid if self.run else "none", f"run{self.random.randint(0, 9)}"])

    def acknowledge(self) -> None:
        """One worker, or many at the same moment."""
        workers = self.random.sample(range(16), self.random.choice([1, 1, 1, 6]))
        uid = self.any_uid()
        option = ["--run-uid", uid] if uid else []
        processes = [
            self.rootdir.start("--timeout", "0", "--worker", f"gw{worker}", "--get", "run_uid", *option)
            for worker in workers
        ]
        expected = self.expected_code(uid)
        for process, worker in zip(processes, workers):
            result = finish(process)
            assert result.exit_code == expected, result
            if expected == 0:
                assert self.run and result.out == self.run.uid + "\n"
                self.acknowledged.add(f"gw{worker}")

    def crash_of_a_worker(self) -> None:
        """Killed at a random moment, it leaves no acknowledgment, a whole one, or a temporary file."""
        if self.expected_code(None) != 0:
            return
        process = self.rootdir.start("--timeout", "5", "--worker", "crashing")
        time.sleep(self.random.random() * 0.004)
        process.kill()
        finish(process)
        if "worker_crashing_ready" in self.rootdir.acknowledgments():
            self.acknowledged.add("crashing")

    def crash_of_a_prepare(self) -> None:
        """Killed at a random moment, it has taken the directory, or not; never half a state is seen."""
        if self.run and self.run.alive:
            return
        self.runs += 1
        process = self.rootdir.start(
            *self.rootdir.prepare_arguments(), "--run-uid", f"run{self.runs}", command=self.rootdir.commands.precreate
        )
        time.sleep(self.random.random() * 0.02)
        process.kill()
        finish(process)
        path = self.rootdir.directory / STATE
        now = self.rootdir.read_state()["run_uid"] if path.exists() else None
        if now is None:
            self.run = None
        elif not self.run or now != self.run.uid:
            assert now == f"run{self.runs}"
            self.run = Run(now, None)
        self.acknowledged = {name[len("worker_") : -len("_ready")] for name in self.rootdir.acknowledgments()}
        if self.run is None or self.run.uid == f"run{self.runs}":
            self.acknowledged &= set()
            if self.rootdir.acknowledgments():
                # It was killed between removing the state and removing the acknowledgments.
                assert now is None
                self.remove_stale_acknowledgments()

    def remove_stale_acknowledgments(self) -> None:
        assert self.rootdir.precreate("cleanup").returncode == 0

    def cleanup(self) -> None:
        arguments = []
        own = self.random.random() < 0.5
        if own and self.run:
            arguments = ["--run-uid", self.run.uid]
        force = self.random.random() < 0.3
        if force:
            arguments.append("--force")
        code = self.rootdir.precreate("cleanup", *arguments).returncode
        if self.run and self.run.alive and not force and not own:
            assert code == 9
        else:
            assert code == 0
            self.run = None
            self.acknowledged = set()

    def add_foreign_file(self) -> None:
        if not self.rootdir.directory.is_dir():
            return
        name = self.random.choice(["notes.txt", "worker_", "controller_ready.json.bak", ".hidden", "worker_x_ready.old"])
        content = os.urandom(8)
        (self.rootdir.directory / name).write_bytes(content)
        self.foreign[name] = content

    def status(self) -> None:
        shown = json.loads(self.rootdir.precreate("status", "--json").stdout)
        if not self.run:
            assert shown["state"] is None
            return
        assert shown["state"]["run_uid"] == self.run.uid
        assert {ack["worker_id"] for ack in shown["acknowledgments"]} == self.acknowledged
        life = "unknown" if not self.run.controller else "alive" if self.run.alive else "gone"
        assert shown["controller"] == life

    def wait(self) -> None:
        if not self.run or not self.acknowledged:
            return
        count = len(self.acknowledged)
        arguments = ["wait", "-q", "--run-uid", self.run.uid, "--timeout", "0"]
        assert self.rootdir.precreate(*arguments, "-n", str(count)).returncode == 0
        assert self.rootdir.precreate(*arguments, "-n", str(count + 1)).returncode == 7

    # --- the machine ---

    def step(self) -> None:
        self.steps += 1
        action = self.random.choices(
            [
                self.prepare,
                self.prepare_again,
                self.crash,
                self.acknowledge,
                self.crash_of_a_worker,
                self.crash_of_a_prepare,
                self.cleanup,
                self.add_foreign_file,
                self.status,
                self.wait,
            ],
            [12, 4, 8, 40, 6, 3, 6, 2, 4, 4],
        )[0]
        try:
            action()
            self.check_directory()
        except AssertionError as error:
            raise AssertionError(f"step {self.steps}, {action.__name__}: {error}") from error

    def check_directory(self) -> None:
        for name, content in self.foreign.items():
            assert (self.rootdir.directory / name).read_bytes() == content, f"foreign file {name}"
        state = self.rootdir.directory / STATE
        assert state.exists() == (self.run is not None)
        if self.run:
            assert self.rootdir.read_state()["run_uid"] == self.run.uid
        assert set(self.rootdir.acknowledgments()) - set(self.foreign) == {
            f"worker_{worker}_ready" for worker in self.acknowledged
        }

    def new_controller(self) -> Controller:
        controller = Controller()
        self.controllers.append(controller)
        if len(self.controllers) > 50:
            oldest = self.controllers.pop(0)
            if not self.run or self.run.controller is not oldest:
                oldest.kill()
            else:
                self.controllers.append(oldest)
        return controller

    def end(self) -> None:
        for controller in self.controllers:
            controller.kill()


@pytest.mark.slow
def test_random_steps_keep_to_the_model(tmp_path, commands):
    seed = chosen_seed()
    print(f"TESTMON_PRECREATE_SEED={seed}")
    model = Model(Rootdir(tmp_path / "project", commands), seed)
    try:
        for _ in range(STEPS):
            model.step()
    except AssertionError as error:
        raise AssertionError(f"TESTMON_PRECREATE_SEED={seed}: {error}") from error
    finally:
        model.end()


@pytest.mark.slow
def test_nothing_is_read_torn(tmp_path, commands):
    """Readers that never pause, while the state is replaced by ones of very different lengths."""
    rootdir = Rootdir(tmp_path / "project", commands)
    rootdir.write_state(run_uid="0", system_packages="0" * 10)
    stop = threading.Event()

    def replace() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            rootdir.write_state(run_uid=str(number), system_packages=str(number % 10) * (number % 7 * 5_000 + 1))

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(100):
            result = rootdir.await_("--json", "--timeout", "0")
            assert result.returncode == 0, result.stderr
            state = json.loads(result.stdout)
            assert set(state["system_packages"]) == {str(int(state["run_uid"]) % 10)}
    finally:
        stop.set()
        writer.join()


class Waiters:
    """Waiting workers, half of them for one run and half for any, as a round wants it."""

    def __init__(self, rootdir: Rootdir, timeout: float, uids: List[Optional[str]]) -> None:
        self.started = time.monotonic()
        self.uids = uids
        self.processes = [
            subprocess.Popen(
                [
                    *(rootdir.commands.await_, "--timeout", str(timeout), "--worker", f"gw{number}", "--get", "run_uid"),
                    *(["--run-uid", uid] if uid else []),
                ],
                cwd=rootdir.path,
                env=rootdir.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for number, uid in enumerate(uids)
        ]

    def results(self):
        return [finish(process) for process in self.processes]


def appears(rootdir: Rootdir, chance: random.Random) -> None:
    """A controller that appears after a random delay."""
    waiters = Waiters(rootdir, 30, ["a"] * WAITERS)
    time.sleep(chance.random() * 0.1)
    with Controller() as controller:
        rootdir.write_state(run_uid="a", **controller.state())
        results = waiters.results()
    assert {(result.exit_code, result.out) for result in results} == {(0, "a\n")}, results
    assert time.monotonic() - waiters.started < 30
    assert len(rootdir.acknowledgments()) == WAITERS


def dies_half_way(rootdir: Rootdir, chance: random.Random) -> None:
    """A worker that looks while the controller lives is ready; one that looks later says that it is gone."""
    with Controller() as controller:
        rootdir.write_state(run_uid="a", **controller.state())
        early = Waiters(rootdir, 30, ["a"] * (WAITERS // 2))
        assert {result.exit_code for result in early.results()} == {0}
        racing = Waiters(rootdir, 0.3, ["a"] * (WAITERS // 4))
        time.sleep(chance.random() * 0.01)
    late = Waiters(rootdir, 0.3, ["a"] * (WAITERS // 4))
    for result in racing.results():
        assert result.exit_code in (0, 3), result
    for result in late.results():
        assert result.exit_code == 3 and "is gone" in result.err, result
    assert time.monotonic() - late.started < 20


def is_replaced(rootdir: Rootdir, chance: random.Random) -> None:
    """The first controller dies before anybody is ready; another run's takes over. Only its workers start."""
    with Controller() as first:
        dead = first.state()
    rootdir.write_state(run_uid="a", **dead)
    waiters = Waiters(rootdir, 2.5, ["a", "b"] * (WAITERS // 2))
    time.sleep(chance.random() * 0.1)
    with Controller() as second:
        rootdir.write_state(run_uid="b", **second.state())
        results = waiters.results()
    for uid, result in zip(waiters.uids, results):
        if uid == "b":
            assert (result.exit_code, result.out) == (0, "b\n"), result
        else:
            assert result.exit_code == 4 and "another run (b, not a)" in result.err, result
    assert time.monotonic() - waiters.started < 20


@pytest.mark.slow
def test_64_waiting_workers(tmp_path, commands):
    """100 rounds; every worker ends with the right answer within its bound."""
    seed = chosen_seed()
    print(f"TESTMON_PRECREATE_SEED={seed}")
    chance = random.Random(seed)
    for number in range(ROUNDS):
        rootdir = Rootdir(tmp_path / f"project{number}", commands)
        chance.choices([appears, dies_half_way, is_replaced], [6, 3, 1])[0](rootdir, chance)


@pytest.mark.slow
def test_no_worker_starves(tmp_path, commands):
    """Four projects' scripts use one directory again and again, each 25 times: 100 rounds. Each gets its turn."""
    rootdir = Rootdir(tmp_path / "project", commands)
    script = (
        'for round in $(seq 25); do testmon-precreate "$@" --run-uid "$0-$round" --controller-pid $$ --wait-for-run 60'
        ' || exit $?; echo "$0" >> order; testmon-precreate cleanup -q --run-uid "$0-$round" || exit $?; done'
    )
    arguments = rootdir.prepare_arguments()
    scripts = [rootdir.start("-c", script, f"s{number}", *arguments, command="sh") for number in range(4)]
    for process in scripts:
        result = finish(process, timeout=200)
        assert result.exit_code == 0, result
    order = (rootdir.path / "order").read_text().split()
    assert len(order) == 100
    names = set(order)
    all_at_work = order[: min(len(order) - order[::-1].index(name) for name in names)]
    gaps = [gap for name in names for gap in gaps_between(all_at_work, name)]
    # In turn it would be 4; one that arrives while another leaves may be overtaken.
    assert max(gaps) <= 20, order


def gaps_between(order: List[str], name: str) -> List[int]:
    positions = [position for position, found in enumerate(order) if found == name]
    return [second - first for first, second in zip(positions, positions[1:])]
