"""What a loader says of its own work adds up."""

import threading
import time

import pytest

from pipelines.loader import LoaderCounters
from pipelines.loader.counters import TIMED_EVERY


def test_waiting_is_measured_from_the_first_batch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    counters = LoaderCounters()
    now += 50  # before the first batch nobody waits
    with counters.waited():
        now += 3
    now += 5  # a training step
    with counters.waited():
        now += 1
    now += 7
    assert counters.until_now().wait_seconds == 4 and counters.until_now().wait_share == 4 / 16
    with pytest.raises(KeyError), counters.waited():
        now += 16
        raise KeyError  # what ends in an error was waited for, too
    assert counters.until_now().wait_share == 20 / 32


def test_one_task_of_many_is_timed_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.thread_time", lambda: now)
    counters = LoaderCounters(clips=4 * TIMED_EVERY)
    for _ in range(4 * TIMED_EVERY):
        counters.begin_task()
        with counters.stage("decode"):
            now += 0.25
    assert counters.cpu_seconds["decode"] == 0.25 * 4 * TIMED_EVERY
    assert counters.cpu_microseconds_per_clip()["decode"] == counters.cpu_microseconds_per_clip()["all"] == 250_000


def test_only_this_thread_is_timed() -> None:
    counters = LoaderCounters()
    other = threading.Thread(target=lambda: sum(range(3_000_000)))
    with counters.stage("fetch"):
        other.start()
        other.join()
    assert counters.cpu_seconds["fetch"] < 0.5 * time.process_time()


def test_the_sums_of_threads_are_added_and_the_clock_is_not() -> None:
    total, other = (
        LoaderCounters(clips=3, started=5.0),
        LoaderCounters(clips=4, chunks=2, started=9.0, total_seconds=8.0),
    )
    other.cpu_seconds["check"] = 1.5
    total.add(other)
    assert (total.clips, total.chunks, total.started, total.total_seconds) == (7, 2, 5.0, 0.0)
    assert total.cpu_seconds["check"] == 1.5
    assert total.until_now().cpu_seconds is not total.cpu_seconds
