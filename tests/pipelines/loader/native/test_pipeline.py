"""Batches come in order and filled, ahead by as many as may be in memory; an error anywhere ends the iteration."""

import ctypes
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
import pytest

from infra.errors import InfraError
from jepa.core.clips import Clips
from pipelines.loader import LoaderCounters
from pipelines.loader.native import pipeline
from pipelines.loader.native.buffers import BatchArrays, BatchBuffers, BatchShape
from pipelines.loader.native.pipeline import Pipeline
from pipelines.loader.native.tasks import BatchTasks, Task

SLOTS = 3
STARTED: list[Pipeline] = []
"""By the test that runs; closed at its end."""
SHAPE = BatchShape(pixels=(SLOTS, 1, 1, 1, 3), action=(SLOTS, 0, 1, 1), quantities={"agent": 1})

pytestmark = pytest.mark.timeout(120)
"""What is tested here hangs if it is wrong."""


def two_batches_a_task() -> Iterator[BatchTasks]:
    """Yields tasks that fill a row of two batches each; chunk c of slot s stands for batches c and c + 1."""
    for number in count():
        slots = range(SLOTS) if number % 2 == 0 else range(0)
        tasks = [Task(number, (0, 1), (number, number + 1), slot) for slot in slots]
        yield BatchTasks((0, number + 1), tasks)


def fill(task: Task, batches: Sequence[BatchArrays], counters: LoaderCounters) -> None:
    for frame, batch in zip(task.frames, batches, strict=True):
        batch.pixels[task.slot] = (task.chunk + frame) % 256
        batch.state[task.slot] = task.chunk + frame
    counters.clips += len(batches)


def started(work: Callable[..., None] = fill, **changes: Any) -> Pipeline:
    parts: dict[str, Any] = {
        "scheduled": two_batches_a_task(),
        "buffers": BatchBuffers(SHAPE, keep=8, pin=False),
        "threads": 3,
        "slots": SLOTS,
        "depth": 6,
        "prefetch": lambda task: None,
    }
    parts |= changes
    running = Pipeline(parts.pop("scheduled"), work, parts.pop("buffers"), **parts)
    STARTED.append(running)
    return running


def numbers(clips: Clips) -> set[float]:
    assert {float(value) % 256 for value in clips.state["agent"].flatten()} == set(
        np.unique(clips.pixels_BTHWC.numpy()).astype(float)
    )
    return {float(value) for value in clips.state["agent"].flatten()}


def settled(running: Pipeline) -> None:
    """Returns once all threads wait for the consumer."""
    deadline = time.monotonic() + 20
    while len(running._changed._waiters) < 3 and time.monotonic() < deadline:  # type: ignore[attr-defined]
        time.sleep(0.01)


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "loader"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = alive()
    yield
    while STARTED:
        STARTED.pop().close()
    assert set(alive()) <= set(before)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("depth", [2, 6])
def test_batches_come_in_order_with_the_position_after_them(threads: int, depth: int) -> None:
    def slowly(task: Task, *rest: Any) -> None:
        time.sleep(0.002 * ((task.chunk + task.slot) % 3))
        fill(task, *rest)

    running = started(slowly, threads=threads, depth=depth)
    for number in range(60):
        after, clips = running.next()
        assert after == (0, number + 1) and numbers(clips) == {number}
    running.close()
    assert sum(one.clips for one in running.counters()) >= 60 * SLOTS


def test_no_more_batches_are_in_memory_than_may_be() -> None:
    highest = 0

    def watching(task: Task, *rest: Any) -> None:
        nonlocal highest
        highest = max(highest, task.last)
        fill(task, *rest)

    running = started(watching, depth=6)
    for number in range(20):
        running.next()
        deadline = time.monotonic() + 20
        while highest < number // 2 * 2 + 5 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert number // 2 * 2 + 5 <= highest < number + 1 + 6


def test_every_task_is_prefetched_before_it_is_done() -> None:
    known: set[tuple[int, int]] = set()

    def work(task: Task, *rest: Any) -> None:
        assert (task.chunk, task.slot) in known
        fill(task, *rest)

    running = started(work, prefetch=lambda task: known.add((task.chunk, task.slot)))
    for _ in range(30):
        running.next()


def test_an_error_in_a_task_comes_with_the_first_batch_that_it_fills() -> None:
    def work(task: Task, *rest: Any) -> None:
        if (task.chunk, task.slot) == (10, 1):
            raise InfraError("chunk 10 is damaged")
        fill(task, *rest)

    running = started(work)
    assert [running.next()[0][1] for _ in range(10)] == list(range(1, 11))
    for _ in range(2):  # asked again, it says the same
        with pytest.raises(InfraError, match="chunk 10 is damaged"):
            running.next()


class FullMemory(BatchBuffers):
    """Has room for a few batches only."""

    taken = 0

    def take(self) -> tuple[Clips, BatchArrays]:
        self.taken += 1
        if self.taken > 9:
            raise MemoryError("no memory for a batch")
        return super().take()


def broken_schedule() -> Iterator[BatchTasks]:
    for one in two_batches_a_task():
        if one.after == (0, 9):
            raise KeyError("the schedule is broken")
        yield one


def broken_prefetch(task: Task) -> None:
    if task.chunk == 10:
        raise RuntimeError("cannot schedule new futures after shutdown")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (KeyError, {"scheduled": broken_schedule}),
        (RuntimeError, {"prefetch": lambda: broken_prefetch}),
        (MemoryError, {"buffers": lambda: FullMemory(SHAPE, keep=2, pin=False)}),
    ],
    ids=["in the schedule", "in prefetching", "for want of memory"],
)
def test_an_error_outside_tasks_ends_the_iteration(
    error: type[Exception], changes: dict[str, Callable[[], Any]], threads: int
) -> None:
    running = started(threads=threads, **{name: make() for name, make in changes.items()})
    with pytest.raises(error):
        for _ in range(30):
            running.next()
    with pytest.raises(error):
        running.next()


def test_a_schedule_that_ends_does_not_pass_for_the_end_of_the_data() -> None:
    running = started(scheduled=iter([]))
    with pytest.raises(InfraError, match="ended by StopIteration"):
        running.next()


def test_an_exit_in_a_thread_is_not_the_exit_of_the_caller() -> None:
    def work(task: Task, *rest: Any) -> None:
        raise SystemExit(0)

    running = started(work)
    with pytest.raises(InfraError, match=r"a thread of the loader was ended by SystemExit\(0\)"):
        running.next()


def test_threads_that_are_killed_end_the_iteration() -> None:
    running = started(depth=2)
    running.next()
    settled(running)
    for thread in running._threads:  # as debuggers do it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    with pytest.raises(InfraError, match="ended by SystemExit"):
        for _ in range(1000):
            running.next()


def test_a_consumer_whose_threads_are_gone_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "WATCH_SECONDS", 0.05)
    monkeypatch.setattr(Pipeline, "_run", lambda self, counters: None)
    running = started()
    with pytest.raises(InfraError, match=r"threads of the loader are gone.*open it in the process that reads from it"):
        running.next()


def test_a_forked_process_gets_an_error_and_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "WATCH_SECONDS", 0.05)
    running = started()
    settled(running)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of just what is tested here
        child = os.fork()
    if not child:
        try:
            for _ in range(100):
                running.next()
        except InfraError as error:
            os._exit(0 if "forked" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_closing_wakes_a_consumer_that_waits() -> None:
    gate = threading.Event()
    errors: list[str] = []

    def work(task: Task, *rest: Any) -> None:
        gate.wait(60)

    def consume() -> None:
        try:
            running.next()
        except InfraError as error:
            errors.append(str(error))

    running = started(work)
    consumer = threading.Thread(target=consume)
    consumer.start()
    closing = threading.Thread(target=running.close)
    closing.start()
    consumer.join(30)
    gate.set()
    closing.join(30)
    assert errors and "was closed while another thread waited" in errors[0]


def test_a_thread_that_holds_the_lock_may_close_without_waiting() -> None:
    class Closing(BatchBuffers):
        """Closes the pipeline where the collector might drop a loader."""

        def take(self) -> tuple[Clips, BatchArrays]:
            assert made.wait(60)
            running.close(wait=False)
            return super().take()

    made = threading.Event()
    running = started(buffers=Closing(SHAPE, keep=2, pin=False))
    made.set()
    with pytest.raises(InfraError, match="was closed"):
        for _ in range(30):
            running.next()


def test_threads_that_were_started_end_where_one_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    start, calls = threading.Thread.start, []

    def failing(self: threading.Thread) -> None:
        calls.append(self)
        if len(calls) == 3:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", failing)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        started(threads=5)
    assert len(calls) == 3 and not alive()


def test_what_is_handed_out_is_not_held() -> None:
    running = started(buffers=BatchBuffers(SHAPE, keep=8, pin=False))
    places = set()
    for _ in range(200):
        _, clips = running.next()
        places.add(clips.pixels_BTHWC.data_ptr())
        del clips
    running.close()
    assert len(places) <= 8 + 1
