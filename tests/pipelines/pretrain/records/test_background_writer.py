"""What is committed in the background: one thing at a time, the newest first, and no failure ends the training."""

import threading
from collections.abc import Iterator

import pytest

from infra.errors import InfraError
from pipelines.pretrain.records import background_writer as writer_module
from pipelines.pretrain.records.background_writer import BackgroundWriter, Commit
from pipelines.store.models.claim import ClaimLostError


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", (0.01, 0.01))


class Place:
    """A slow store: each write waits until it is let go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.done: list[int] = []
        self.at_work = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def commit(self, number: int) -> Commit:
        def write() -> None:
            self.begun.append(number)
            self.at_work.release()
            assert self.go_on.acquire(timeout=60)
            self.done.append(number)

        return Commit(f"place {number}", write)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def writer(said: list[str]) -> Iterator[BackgroundWriter]:
    writer = BackgroundWriter(said.append)
    yield writer
    writer.close(1)


def test_the_newest_takes_the_place_of_what_waits(writer: BackgroundWriter) -> None:
    place = Place()
    writer.put(place.commit(1))
    assert place.at_work.acquire(timeout=60)
    for number in (2, 3, 4):
        writer.put(place.commit(number))  # returns at once, though 1 is under way
    assert place.begun == [1] and not writer.wait(0.05)
    place.go_on.release(2)
    assert writer.wait(60) and place.done == [1, 4] and writer.failures == 0


def test_a_commit_is_tried_again(writer: BackgroundWriter, said: list[str]) -> None:
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise InfraError("the store is silent")

    writer.put(Commit("here", write))
    assert writer.wait(60) and len(tries) == 3 and writer.failures == 0 and said == []


def test_what_would_fail_again_is_not_tried_again(writer: BackgroundWriter, said: list[str]) -> None:
    tries: list[int] = []

    def write() -> None:
        tries.append(1)
        raise ClaimLostError("model 'm0' was taken over")

    writer.put(Commit("here", write))
    assert writer.wait(60) and len(tries) == 1 and writer.failures == 1
    assert said == ["here was not written (model 'm0' was taken over); training goes on"]


def test_a_failure_is_said_with_address_and_reason(writer: BackgroundWriter, said: list[str]) -> None:
    def write() -> None:
        raise InfraError("the disk is full\nof things")

    writer.put(Commit("s3://bucket/models/m0", write))
    assert writer.wait(60) and writer.failures == 1
    assert said == ["s3://bucket/models/m0 was not written (the disk is full); training goes on"]
    writer.put(Commit("here", lambda: None))
    assert writer.wait(60) and writer.failures == 1  # and the next one is written


def test_a_newer_commit_ends_the_tries_of_an_older(
    writer: BackgroundWriter, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", (60.0,))
    done = threading.Event()

    def fail() -> None:
        raise OSError("once")

    writer.put(Commit("old", fail))
    writer.put(Commit("new", done.set))
    assert done.wait(60)
