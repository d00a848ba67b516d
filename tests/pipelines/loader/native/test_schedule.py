"""The schedule is a pure function that reads every window once, from different chunks in a batch."""

import hashlib
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.loader.native.schedule import EpochSchedule, Window

WINDOWS = st.lists(st.integers(0, 30), min_size=1, max_size=60).map(np.array)


def make_schedule(windows: NDArray[np.int64], **changes: int) -> EpochSchedule:
    settings = {"seed": 0, "epoch": 0, "batch_size": 4, "windows_per_chunk": 8, "shuffle_chunks": 2}
    return EpochSchedule(windows, **settings | changes)


def read(schedule: EpochSchedule) -> list[list[Window]]:
    return [schedule.batch(number) for number in range(schedule.batches)]


@settings(deadline=None)
@given(
    windows=WINDOWS,
    batch_size=st.integers(1, 40),
    windows_per_chunk=st.integers(1, 12),
    shuffle_chunks=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_an_epoch_holds_each_window_once_but_for_remainders(
    windows: NDArray[np.int64], batch_size: int, windows_per_chunk: int, shuffle_chunks: int, seed: int
) -> None:
    schedule = make_schedule(
        windows,
        batch_size=batch_size,
        windows_per_chunk=windows_per_chunk,
        shuffle_chunks=shuffle_chunks,
        seed=seed,
    )
    seen = Counter(clip for batch in read(schedule) for clip in batch)
    assert all(count == 1 for count in seen.values())
    assert all(0 <= clip.frame < windows[clip.chunk] for clip in seen)
    rounds = max(1, -(-int(windows.max()) // windows_per_chunk))
    left = int(windows.sum()) - len(seen)
    assert len(seen) == schedule.batches * batch_size and 0 <= left <= rounds * (batch_size - 1)
    assert schedule.batches > 0 or windows.sum() < batch_size


@settings(deadline=None)
@given(
    chunks=st.integers(8, 60), longest=st.integers(1, 30), windows_per_chunk=st.integers(1, 12), seed=st.integers(0, 99)
)
def test_no_two_clips_of_a_batch_share_a_chunk(chunks: int, longest: int, windows_per_chunk: int, seed: int) -> None:
    # All chunks alike, as a dataset of equal episodes has them, and as many as the batch has slots, or more.
    schedule = make_schedule(
        np.full(chunks, longest), batch_size=8, windows_per_chunk=windows_per_chunk, shuffle_chunks=3, seed=seed
    )
    for batch in read(schedule):
        assert len({clip.chunk for clip in batch}) == 8


@settings(deadline=None)
@given(windows=WINDOWS, seed=st.integers(0, 9), number=st.integers(0, 500))
def test_any_batch_can_be_asked_for_alone(windows: NDArray[np.int64], seed: int, number: int) -> None:
    schedule = make_schedule(windows, seed=seed)
    if schedule.batches:
        number %= schedule.batches
        assert make_schedule(windows, seed=seed).batch(number) == read(schedule)[number]


def test_every_window_comes_in_some_epoch_and_equally_often() -> None:
    # 23 windows a chunk leave a remainder, which must not always be the same.
    windows, epochs = np.full(10, 23), 60
    batches = [batch for epoch in range(epochs) for batch in read(make_schedule(windows, epoch=epoch, batch_size=7))]
    seen = Counter(clip for batch in batches for clip in batch)
    assert len(seen) == windows.sum()
    rate = sum(seen.values()) / windows.sum() / epochs
    spread = np.sqrt(epochs * rate * (1 - rate))
    assert rate > 0.9
    assert all(abs(count - epochs * rate) < 6 * spread for count in seen.values())


def test_uneven_chunks_lose_no_one_more_than_others() -> None:
    windows, epochs = np.array([3] * 20 + [30] * 20), 40
    seen = Counter(
        clip.chunk for epoch in range(epochs) for batch in read(make_schedule(windows, epoch=epoch)) for clip in batch
    )
    short = sum(seen[chunk] for chunk in range(20)) / (20 * 3 * epochs)
    long = sum(seen[chunk] for chunk in range(20, 40)) / (20 * 30 * epochs)
    assert short == pytest.approx(long, abs=0.03) and long > 0.9


def test_seeds_and_epochs_differ() -> None:
    windows = np.full(40, 20)
    schedules = [read(make_schedule(windows, seed=seed, epoch=epoch)) for seed in (0, 1) for epoch in (0, 1)]
    assert all(schedules[a] != schedules[b] for a in range(4) for b in range(a))


def test_a_chunk_is_read_in_nearby_batches() -> None:
    schedule = make_schedule(np.full(400, 40), batch_size=16, shuffle_chunks=1)
    first_round = [schedule.batch(number) for number in range(400 * 8 // 16)]
    reach: dict[int, list[int]] = {}
    for number, batch in enumerate(first_round):
        for clip in batch:
            reach.setdefault(clip.chunk, []).append(number)
    spans = [max(numbers) - min(numbers) + 1 for numbers in reach.values()]
    assert all(len(numbers) == 8 for numbers in reach.values())
    # All but those where one slot's run ends and the next begins.
    assert sum(span == 8 for span in spans) >= 400 - 16


def test_successive_batches_look_shuffled() -> None:
    schedule = make_schedule(np.full(600, 8), batch_size=32, windows_per_chunk=1)
    means = np.array([np.mean([clip.chunk for clip in batch]) for batch in read(schedule)])
    assert abs(np.corrcoef(means[1:], means[:-1])[0, 1]) < 0.3
    # The spread of a batch's mean is that of 32 independent draws.
    assert means.std() == pytest.approx(600 / np.sqrt(12 * 32), rel=0.25)


def test_the_first_batch_of_a_million_clips_makes_no_list_of_them() -> None:
    tracemalloc.start()
    assert len(make_schedule(np.full(20_000, 50), batch_size=64).batch(0)) == 64
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000  # an integer for each clip would be more


def test_too_few_windows_give_no_batch() -> None:
    schedule = make_schedule(np.array([1, 2]))
    assert schedule.batches == 0
    with pytest.raises(IndexError):
        schedule.batch(0)


def test_what_fills_a_batch_gives_one_however_it_falls() -> None:
    # Of two rounds each may get too little.
    for seed in range(20):
        assert make_schedule(np.array([1, 1, 1, 2]), windows_per_chunk=1, seed=seed).batches == 1


@pytest.mark.parametrize(
    ("windows", "settings", "digest"),
    [
        (
            np.random.default_rng(0).integers(0, 30, 60),
            {"seed": 0, "batch_size": 7},
            "0752c37d88b9aebd5d5ca4e14c46da5ec7b4385c2cfad3e7d43e2ad6a66d6ab7",
        ),
        (
            np.full(60, 25),
            {"seed": 3, "batch_size": 16, "shuffle_chunks": 3},
            "77193ce5891c6a40b3711d0c3824700471f0974563fe0b3a3d6438096d7b1c68",
        ),
        (
            np.full(15, 19),
            {"seed": 1, "batch_size": 64, "windows_per_chunk": 1},
            "f4b771459f90803540b72428eb6b87742b24f924cf4ad6ece69d8aac05b6753b",
        ),
    ],
    ids=["uneven chunks", "equal chunks", "fewer chunks than slots"],
)
def test_a_position_of_earlier_code_continues_with_the_same_clips(
    windows: NDArray[np.int64], settings: dict[str, int], digest: str
) -> None:
    found = hashlib.sha256()
    for epoch in range(3):
        for batch in read(make_schedule(windows, epoch=epoch, **settings)):
            found.update(np.array([(clip.chunk, clip.frame) for clip in batch], np.int64).tobytes())
    assert found.hexdigest() == digest  # of commit 28e9d0a
