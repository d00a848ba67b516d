"""Of several trainings of one name one gets it; a dead owner's name is taken over, a living one's is not."""

import dataclasses
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from infra.errors import InfraError
from infra.processes.identity import this_process
from infra.storage import Store, open_store
from jepa.core.config import to_json
from jepa.core.errors import InputError
from pipelines.store.models import claim as claim_module
from pipelines.store.models.claim import (
    Claim,
    ClaimLostError,
    check_claim,
    check_not_held,
    claim_model,
    newest_claim,
)
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.models.origin import Origin
from pipelines.store.references import DatasetRef

ORIGIN = Origin(request={"dataset": "d0"}, dataset_ref=DatasetRef(name="d0", version=1, digest="ab" * 32))


@pytest.fixture
def model(store: Store) -> ModelHandle:
    return ModelHandle(store, "m0")


@pytest.fixture
def local_model(tmp_path: Path) -> ModelHandle:
    return ModelHandle(open_store(str(tmp_path)), "m0")


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_module, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(claim_module, "STALE_SECONDS", 1.0)
    monkeypatch.setattr(claim_module, "QUIET_SECONDS", 0.2)
    monkeypatch.setattr(claim_module, "HEARTBEAT_SECONDS", 0.05)


def left_behind(model: ModelHandle, number: int = 1, age: float = 0.0, **process: Any) -> Claim:
    """Writes the claim of a training elsewhere, whose last heartbeat is some seconds old, and returns it."""
    then = datetime.now(UTC) - timedelta(seconds=age)
    identity = dataclasses.replace(this_process(), **process)
    claim = Claim(number=number, owner="other", process=identity, since=then, heartbeat=then, origin=ORIGIN)
    model.store.write(model.layout.claim(number), to_json(claim))
    return claim


def test_a_claim_says_who_and_what_and_is_given_back(model: ModelHandle) -> None:
    assert newest_claim(model) is None
    with claim_model(model, ORIGIN) as lease:
        held = newest_claim(model)
        assert held is not None and held.owner and held.process == this_process() and held.origin == ORIGIN
        assert lease.number == 1 and lease.before is None
        with pytest.raises(InputError, match=rf"model 'm0' in .* is being trained by process {os.getpid()} on host"):
            claim_model(model, ORIGIN)
        with pytest.raises(InputError, match=r"since 20\d\d-.* UTC; wait for its end, or choose another name"):
            check_not_held(model)
    given_back = newest_claim(model)
    assert given_back is not None and given_back.number == 1 and given_back.owner is None
    check_not_held(model)
    with claim_model(model, ORIGIN) as lease:
        assert lease.number == 2 and lease.before == given_back


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_claim_is_given_back_however_the_training_ends(local_model: ModelHandle, error: type[BaseException]) -> None:
    with pytest.raises(error), claim_model(local_model, ORIGIN):
        raise error
    held = newest_claim(local_model)
    assert held is not None and held.owner is None


@pytest.mark.parametrize("before", ["nobody", "a dead process", "a silent machine"])
def test_of_many_at_once_one_gets_the_name(model: ModelHandle, before: str) -> None:
    if before != "nobody":
        dead: dict[str, Any] = {"started": "1"} if before == "a dead process" else {"host": "node-3"}
        left_behind(model, **dead)
    start, entered, refused = threading.Barrier(8), list[int](), list[int]()

    def attempt(number: int) -> None:
        start.wait()
        try:
            with claim_model(model, ORIGIN):
                entered.append(number)
                wait_until(lambda: len(entered) + len(refused) == 8)
        except InputError:
            refused.append(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    assert len(entered) == 1 and len(refused) == 7


def test_an_answer_that_was_lost_is_no_other_owner(local_model: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    """On S3 a request that is sent again finds the object that it wrote."""
    real = type(local_model.store).write_if_absent

    def lost(self: Store, path: str, data: bytes) -> bool:
        real(self, path, data)
        return False

    monkeypatch.setattr(type(local_model.store), "write_if_absent", lost)
    with claim_model(local_model, ORIGIN) as lease:
        assert lease.number == 1


def hold(uri: str, pipe: Connection) -> None:
    """Holds the name until it is killed."""
    with claim_model(ModelHandle(open_store(uri), "m0"), ORIGIN):
        pipe.send("held")
        time.sleep(600)


def test_the_name_of_a_killed_process_is_free_at_once(local_model: ModelHandle) -> None:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=hold, args=(local_model.store.uri, theirs), daemon=True)
    process.start()
    assert ours.recv() == "held"
    with pytest.raises(InputError, match=f"is being trained by process {process.pid} on host"):
        claim_model(local_model, ORIGIN)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    began = time.monotonic()
    with claim_model(local_model, ORIGIN) as lease:
        assert lease.number == 2 and lease.before is not None and lease.before.process.pid == process.pid
    assert time.monotonic() - began < 0.9  # no heartbeat was waited for


def test_an_attempt_of_this_process_that_left_its_claim_is_dead(local_model: ModelHandle) -> None:
    """As in a notebook whose store could not be reached when the training ended."""
    left_behind(local_model)
    with claim_model(local_model, ORIGIN) as lease:
        assert lease.number == 2


def test_silence_elsewhere_is_waited_for_and_said(model: ModelHandle) -> None:
    left_behind(model, host="node-3", pid=4711)
    warnings: list[str] = []
    began = time.monotonic()
    with claim_model(model, ORIGIN, warnings.append) as lease:
        assert lease.number == 2 and time.monotonic() - began >= 1.0
    (said,) = warnings
    assert said.startswith("waiting for a sign of life of process 4711 on host 'node-3' since ")


def test_a_machine_that_died_long_ago_is_not_waited_for(local_model: ModelHandle) -> None:
    left_behind(local_model, host="node-3", age=16 * 60)
    began = time.monotonic()
    with claim_model(local_model, ORIGIN):
        assert time.monotonic() - began < 0.9


def test_a_clock_that_is_wrong_takes_no_name_away(local_model: ModelHandle) -> None:
    """The owner's clock is minutes behind ours: its heartbeats look old, and yet they come."""
    left_behind(local_model, host="node-3", age=5 * 60)
    timer = threading.Timer(0.3, lambda: left_behind(local_model, host="node-3", age=5 * 60))
    timer.start()
    with pytest.raises(InputError, match=r"is being trained by process .* on host 'node-3'"):
        claim_model(local_model, ORIGIN)
    timer.join()


def test_an_owner_elsewhere_that_ends_in_order_is_followed_at_once(local_model: ModelHandle) -> None:
    claim = left_behind(local_model, host="node-3")
    ended = to_json(claim.model_copy(update={"owner": None}))
    timer = threading.Timer(0.2, lambda: local_model.store.write(local_model.layout.claim(1), ended))
    timer.start()
    began = time.monotonic()
    with claim_model(local_model, ORIGIN) as lease:
        assert lease.number == 2 and time.monotonic() - began < 0.9
    timer.join()


def test_the_heartbeat_goes_on(local_model: ModelHandle) -> None:
    with claim_model(local_model, ORIGIN) as lease:
        first = newest_claim(local_model)
        wait_until(lambda: newest_claim(local_model) != first)
        other = ORIGIN.model_copy(update={"request": {"dataset": "d0", "seed": 1}})
        lease.record(other)
        held = newest_claim(local_model)
        assert held is not None and held.origin == other and held.owner and not lease.lost()


def test_who_is_followed_has_lost_the_name_and_says_to_whom(local_model: ModelHandle) -> None:
    with claim_model(local_model, ORIGIN) as lease:
        check_claim(local_model, lease.number)
        left_behind(local_model, number=2, host="node-3", pid=4711)
        wait_until(lease.lost)
        with pytest.raises(ClaimLostError, match=r"was taken over by process 4711 on host 'node-3' since"):
            check_claim(local_model, lease.number)
    held = newest_claim(local_model)
    assert held is not None and (held.number, held.owner) == (2, "other")  # what is the other's stays


def test_a_claim_that_was_deleted_and_made_again_is_lost(local_model: ModelHandle) -> None:
    with claim_model(local_model, ORIGIN) as lease:
        left_behind(local_model, number=1)
        wait_until(lease.lost)
    held = newest_claim(local_model)
    assert held is not None and held.owner == "other"


def test_who_claimed_nothing_is_not_asked(local_model: ModelHandle) -> None:
    left_behind(local_model, number=2)
    check_claim(local_model, None)


def test_a_store_that_fails_at_the_end_is_said(local_model: ModelHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    with claim_model(local_model, ORIGIN, warnings.append):
        monkeypatch.setattr(type(local_model.store), "write", fails)
    assert warnings == ["the claim of model 'm0' was not given back (no answer)"]
    monkeypatch.undo()
    with claim_model(local_model, ORIGIN) as lease:  # this process knows that the training has ended
        assert lease.number == 2


def fails(*_: object) -> None:
    raise InfraError("no answer")


def test_what_is_no_claim_is_said(local_model: ModelHandle) -> None:
    local_model.store.write(local_model.layout.claim(1), json.dumps({"number": 1}).encode())
    with pytest.raises(
        InfraError, match=r"claims/000001\.json is damaged, or not a claim that this version reads; delete it"
    ):
        claim_model(local_model, ORIGIN)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
