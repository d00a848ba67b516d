"""Items come in order, a few ahead; an error comes in an item's place, and no consumer waits for a dead thread."""

import threading
import time
from collections.abc import Iterator
from itertools import count

import pytest

from infra.errors import InfraError
from pipelines.loader.official import prefetch
from pipelines.loader.official.prefetch import Prefetcher

pytestmark = pytest.mark.timeout(120)
"""What is tested here hangs if it is wrong."""


def taken(prefetcher: Prefetcher[int], items: int) -> list[int]:
    return [prefetcher.next() for _ in range(items)]


def test_items_come_in_order_and_no_more_ahead_than_may_be() -> None:
    made: list[int] = []

    def make() -> Iterator[int]:
        for number in count():
            made.append(number)
            yield number

    prefetcher = Prefetcher(make, 3)
    assert taken(prefetcher, 5) == [0, 1, 2, 3, 4]
    deadline = time.monotonic() + 20
    while len(made) < 9 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(made) == 9  # 5 taken, 3 ready, and one that waits for room
    prefetcher.close()


@pytest.mark.parametrize(
    ("error", "raised", "match"),
    [
        (KeyError("broken"), KeyError, "broken"),
        (MemoryError("no memory"), MemoryError, "no memory"),
        (SystemExit(0), InfraError, r"thread was ended by SystemExit\(0\)"),
    ],
    ids=["an error", "no memory", "an exit"],
)
def test_an_error_comes_where_the_item_would_have(error: BaseException, raised: type[Exception], match: str) -> None:
    def make() -> Iterator[int]:
        yield from range(3)
        raise error

    prefetcher = Prefetcher(make, 2)
    assert taken(prefetcher, 3) == [0, 1, 2]
    for _ in range(2):  # asked again, it says the same
        with pytest.raises(raised, match=match):
            prefetcher.next()
    prefetcher.close()


def test_an_iterator_that_cannot_be_made_is_an_error_too() -> None:
    def make() -> Iterator[int]:
        raise InfraError("the store is away")

    prefetcher: Prefetcher[int] = Prefetcher(make, 2)
    with pytest.raises(InfraError, match="the store is away"):
        prefetcher.next()
    prefetcher.close()


def test_the_end_stays_the_end() -> None:
    prefetcher = Prefetcher(lambda: iter(range(2)), 4)
    assert taken(prefetcher, 2) == [0, 1]
    for _ in range(2):
        with pytest.raises(StopIteration):
            prefetcher.next()
    prefetcher.close()


def test_a_consumer_whose_thread_is_gone_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(make: object, entries: "prefetch.Entries[int]", stop: threading.Event) -> None:
        entries.put((7, None))

    monkeypatch.setattr(prefetch, "_fill", vanish)
    prefetcher = Prefetcher(lambda: iter(range(9)), 4)
    assert prefetcher.next() == 7
    with pytest.raises(InfraError, match="the loader's thread is gone"):
        prefetcher.next()
    prefetcher.close()


def test_nothing_is_waited_for_after_close() -> None:
    prefetcher = Prefetcher(lambda: iter(count()), 2)
    prefetcher.next()
    prefetcher.close()
    with pytest.raises(InfraError, match="was closed while a batch was awaited"):
        taken(prefetcher, 9)
