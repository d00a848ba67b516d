"""Shards in the cache are whole or not there, whoever shares it, fills it or is killed in it."""

import errno
import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.loader.native.shard_cache import ShardCache

SIZE = 1000
SPAWN = multiprocessing.get_context("spawn")


def shard(number: int) -> tuple[str, bytes]:
    data = number.to_bytes(4, "big") * (SIZE // 4)
    return hashlib.sha256(data).hexdigest(), data


def put(cache: ShardCache, number: int) -> bool:
    digest, data = shard(number)
    return cache.add(digest, SIZE, iter([data[:300], data[300:]]))


def holds(cache: ShardCache, number: int) -> bool:
    digest, data = shard(number)
    found = cache.read(digest, 0, SIZE)
    assert found in (None, data)
    return found is not None


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_what_is_put_is_read(tmp_path: Path) -> None:
    cache = ShardCache(tmp_path / "cache", 10 * SIZE)
    digest, data = shard(1)
    assert cache.read(digest, 0, 10) is None
    assert put(cache, 1) and put(cache, 1)
    assert cache.read(digest, 3, 7) == data[3:10] and cache.read(digest, SIZE - 3, 7) is None
    assert files(tmp_path) == [digest]


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = ShardCache(tmp_path, 3 * SIZE)
    for number in range(3):
        assert put(cache, number)
        os.utime(tmp_path / shard(number)[0][:2] / shard(number)[0], (number, number))
    assert holds(cache, 0)  # and is now the one that was used last
    assert put(cache, 3)
    assert [holds(cache, number) for number in range(4)] == [True, False, True, True]
    assert not ShardCache(tmp_path, SIZE // 2).add(*_too_large())
    assert [holds(cache, number) for number in range(4)] == [True, False, True, True]


def _too_large() -> tuple[str, int, Iterator[bytes]]:
    digest, data = shard(9)
    return digest, SIZE, iter([data])


def test_a_shard_that_arrives_damaged_is_not_kept(tmp_path: Path) -> None:
    cache = ShardCache(tmp_path, 3 * SIZE)
    digest, data = shard(1)
    assert not cache.add(digest, SIZE, iter([data[:-1] + b"?"]))
    assert not cache.add(digest, SIZE, iter([data[:-1]]))
    assert files(tmp_path) == []


def test_a_failed_fetch_leaves_nothing(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 300
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        ShardCache(tmp_path, 3 * SIZE).add(shard(1)[0], SIZE, pieces())
    assert files(tmp_path) == []


def _write_slowly(folder: str, number: int, began: "multiprocessing.synchronize.Event") -> None:
    digest, data = shard(number)

    def pieces() -> Iterator[bytes]:
        yield data[:500]
        began.set()
        time.sleep(60)
        yield data[500:]

    ShardCache(Path(folder), 3 * SIZE).add(digest, SIZE, pieces())


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_nothing_that_is_trusted(tmp_path: Path) -> None:
    began = SPAWN.Event()
    writer = SPAWN.Process(target=_write_slowly, args=(str(tmp_path), 1, began))
    writer.start()
    assert began.wait(60)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    cache = ShardCache(tmp_path, 3 * SIZE)
    assert files(tmp_path) == [shard(1)[0] + ".part"] and not holds(cache, 1)
    assert put(cache, 1) and holds(cache, 1)
    assert files(tmp_path) == [shard(1)[0]]


@pytest.mark.slow
def test_what_a_killed_writer_left_is_evicted(tmp_path: Path) -> None:
    began = SPAWN.Event()
    writer = SPAWN.Process(target=_write_slowly, args=(str(tmp_path), 1, began))
    writer.start()
    assert began.wait(60)
    cache = ShardCache(tmp_path, 3 * SIZE)
    assert put(cache, 2) and put(cache, 3)
    assert put(cache, 4) and shard(1)[0] + ".part" in files(tmp_path)  # a living writer's part stays
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    assert put(cache, 5) and put(cache, 6) and shard(1)[0] + ".part" not in files(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 3 * SIZE


@pytest.mark.slow
def test_jobs_share_a_cache_that_is_too_small_for_them(tmp_path: Path) -> None:
    jobs = [SPAWN.Process(target=_work, args=(str(tmp_path), seed)) for seed in range(2)]
    for job in jobs:
        job.start()
    threads = [threading.Thread(target=_work, args=(str(tmp_path), seed)) for seed in range(2, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0, 0]
    assert not [name for name in files(tmp_path) if name.endswith(".part")]
    cache = ShardCache(tmp_path, 5 * SIZE)
    assert sum(holds(cache, number) for number in range(12)) == len(files(tmp_path)) <= 5


def _work(folder: str, seed: int) -> None:
    cache = ShardCache(Path(folder), 5 * SIZE)
    for step in range(150):
        number = (step * 7 + seed * 3) % 12
        put(cache, number)
        holds(cache, number)
