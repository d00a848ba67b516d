"""Training under Prefect ends in order, whoever wants it to end: with its state kept, and soon."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.runs.interruption import stoppable
from infra.storage import Store, open_store
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelHandle
from tests.flows.conftest import Ask, Worker, wait_for
from tests.flows.runs.engine import engine_of, gone_after, state_of
from tests.pipelines.small_dataset import small_dataset

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

GRACE_SECONDS = 30
"""What Kubernetes and Prefect's runner give by default between SIGTERM and SIGKILL."""
TRAINING = {"dataset": "d0", "recipe": "smoke", "workers": 1, "steps": 100_000}
"""Longer than any test."""
LOCAL = {**TRAINING, "executor": "local"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(str(tmp_path / "store"))
    small_dataset(store, name="d0", steps=40)
    return store


def checkpoint(store: Store, name: str) -> int:
    return Checkpoints(ModelHandle(store, name)).latest_step() or 0


def shown_steps(ask: Ask, name: str) -> int:
    """Returns how many steps the progress artifact of a training shows, -1 where there is none."""
    found = ask("artifacts/filter", {"artifacts": {"key": {"any_": [f"pretrain-{name}"]}}})
    return int(found[-1]["description"].split(": ")[1].split("/")[0]) if found else -1


@pytest.mark.ray
@pytest.mark.timeout(500)
@pytest.mark.parametrize("fields", [TRAINING, LOCAL], ids=["ray", "local"])
def test_sigterm_keeps_the_state_within_the_grace_period(
    fields: dict[str, Any], worker: Worker, start_run: Callable[..., str], ask: Ask, store: Store, tmp_path: Path
) -> None:
    name = f"evicted-{fields.get('executor', 'ray')}"
    run = start_run("pretrain/pretrain", store=store.uri, config={**fields, "name": name})
    with worker(tmp_path / "worker.log") as started:
        wait_for(lambda: shown_steps(ask, name) > 0, "the first step", 200)
        engine, before = engine_of(started), checkpoint(store, name)
        engine.send_signal(signal.SIGTERM)
        assert gone_after(engine, GRACE_SECONDS)
        wait_for(lambda: state_of(ask, run) == "Crashed", "the end of the run")
    kept = checkpoint(store, name)
    assert kept > before
    # Where a worker shows its run's log; the server gets the last lines only if it is quick while the process ends.
    said = (tmp_path / "worker.log").read_text(errors="replace")
    assert f"interrupted at step {kept}, whose state is kept; the same command goes on" in " ".join(said.split())


@pytest.mark.timeout(500)
def test_a_run_without_its_worker_goes_on_showing_and_can_be_cancelled(
    worker: Worker, start_run: Callable[..., str], ask: Ask, store: Store, tmp_path: Path
) -> None:
    run = start_run("pretrain/pretrain", store=store.uri, config={**LOCAL, "name": "orphan"})
    with worker(tmp_path / "worker.log") as started:
        wait_for(lambda: shown_steps(ask, "orphan") > 0, "the first step", 200)
        engine = engine_of(started)
        started.kill()
        started.wait()
    try:
        for _ in range(2):
            seen = shown_steps(ask, "orphan")
            wait_for(lambda: shown_steps(ask, "orphan") > seen, "progress after the worker's death", 120)  # noqa: B023
        ask(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})
        assert gone_after(engine, 120)
        assert state_of(ask, run) == "Cancelled" and checkpoint(store, "orphan") > seen
    finally:
        if engine.is_running():
            engine.kill()


@pytest.mark.timeout(500)
def test_of_two_runs_one_waits_until_the_other_is_cancelled(
    worker: Worker, start_run: Callable[..., str], ask: Ask, store: Store, tmp_path: Path
) -> None:
    first = start_run("pretrain/pretrain", store=store.uri, config={**LOCAL, "name": "first"})
    with worker(tmp_path / "worker.log"):
        wait_for(lambda: shown_steps(ask, "first") > 0, "the first step", 200)
        second = start_run("pretrain/pretrain", store=store.uri, config={**LOCAL, "name": "second", "steps": 2})
        wait_for(lambda: state_of(ask, second) == "AwaitingConcurrencySlot", "the queue", 100)
        ask(f"flow_runs/{first}/set_state", {"state": {"type": "CANCELLING"}})
        wait_for(lambda: state_of(ask, first) == "Cancelled", "the cancellation", 100)
        assert checkpoint(store, "first") > 0
        wait_for(lambda: state_of(ask, second) == "Completed", "the second run", 200)


def test_an_interruption_asks_the_work_to_stop_and_is_raised_again() -> None:
    class Interruption(BaseException):
        pass

    def interrupt(number: int, frame: object) -> None:
        raise Interruption

    before = signal.signal(signal.SIGUSR1, interrupt)
    ended = []

    def work(stop: Callable[[], bool]) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_for(stop, "the request", 20, 0.01)
        ended.append("in order")

    try:
        with pytest.raises(Interruption):
            stoppable(work, 20)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ended == ["in order"]
    with pytest.raises(ZeroDivisionError):
        stoppable(lambda stop: 1 // 0, 1)
    assert stoppable(lambda stop: stop(), 1) is False
