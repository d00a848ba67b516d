"""Fetches and checks the stored bytes of chunks: from a local folder, or from S3 through the cache of whole shards.

On S3, where reading means waiting, threads of their own fetch ahead what coming tasks need.
"""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from infra.errors import InfraError
from infra.processes.background import LEAVING_SECONDS
from infra.processes.pool import ThreadPool
from infra.storage.local import LocalStore
from pipelines.loader.config import MEGABYTE, THREAD, LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.cached_split import CachedSplit
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.index import ChunkTable

T = TypeVar("T")
FETCH_THREADS = 16
"""Requests to a store at the same time: they wait for the network, not for a core."""
ATTEMPTS = 6
FIRST_PAUSE = 0.1
"""Seconds before a failed request is repeated; each time twice as long."""
LARGE_SHARD = 32 * MEGABYTE
"""A larger shard is not waited for: until it is here, its chunks are fetched alone."""
PREFETCH_BYTES = 64 * MEGABYTE
"""Bytes of single chunks that are fetched before they are needed."""


class DamagedChunkError(InfraError):
    """A chunk that is not as it was collected, or is gone; the message names dataset, shard and chunk."""

    final: ClassVar[bool] = True

    def __init__(self, message: str, chunk: int) -> None:
        super().__init__(message)
        self.chunk = chunk
        """its number in the split's chunk table"""

    def __reduce__(self) -> tuple[type["DamagedChunkError"], tuple[str, int]]:
        return DamagedChunkError, (str(self), self.chunk)


class ChunkFetcher:
    """Reads the chunks of one split; safe for many threads."""

    def __init__(self, dataset: Dataset, table: ChunkTable, config: LoaderConfig) -> None:
        """Takes the chunks that will be asked for, by their numbers in the table; nothing is read."""
        self._dataset = dataset
        self._table = table
        self._checked: NDArray[np.bool_] = np.zeros(len(table), np.bool_)
        self._lock = threading.Lock()
        self._counters = LoaderCounters()
        self._local = isinstance(dataset.store, LocalStore)
        paths = [dataset.shard_path(table, int(row)) for row in np.unique(table.shard, return_index=True)[1]]
        self._paths = [dataset.store.address(path) if self._local else path for path in paths]
        self._pool: ThreadPool | None = None
        self._cached = None if self._local else CachedSplit(dataset, table, config, self._request)
        self._shards: dict[int, Future[bool]] = {}
        self._chunks: dict[int, Future[bytes]] = {}
        self._prefetched_bytes = 0

    def open(self) -> None:
        """Starts the threads that fetch ahead, where reading means waiting."""
        if not self._local and self._pool is None:
            self._pool = ThreadPool(FETCH_THREADS, f"{THREAD}-fetch")

    def prefetch(self, chunk: int) -> None:
        """Begins to fetch what a chunk needs; does nothing where reading costs no wait."""
        if self._pool is None or self._cached is None:
            return
        shard, length = int(self._table.shard[chunk]), int(self._table.length[chunk])
        if self._cached.keeps(shard):
            self._fetch_shard(shard)
            return
        with self._lock:
            if chunk in self._chunks or self._prefetched_bytes + length > PREFETCH_BYTES:
                return
            self._prefetched_bytes += length
            self._chunks[chunk] = self._pool.submit(self._in_background, self._read_range, chunk)

    def read(self, chunk: int, counters: LoaderCounters) -> bytes:
        """Returns the stored bytes of a chunk; those that this loader reads for the first time are checked.

        Raises:
            DamagedChunkError: they are not those that were collected, or the shard is gone.
            InfraError: the store does not answer.
        """
        with counters.stage("fetch"):
            data = self._fetch(chunk)
        counters.fetched_bytes += len(data)
        if self._checked[chunk]:
            return data
        with counters.stage("check"):
            if not self._is_sound(chunk, data):
                data = self._read_again(chunk)
            self._checked[chunk] = True
        return data

    def damaged(self, chunk: int, what: str) -> DamagedChunkError:
        """Returns the error that names a chunk and says what is wrong with it."""
        table, name = self._table, self._dataset.name
        return DamagedChunkError(
            f"dataset {name!r}, {table.shards[table.shard[chunk]]}: the chunk of episode {table.episode[chunk]} "
            f"from frame {table.first_frame[chunk]} {what}; `jepa verify {name}` lists all such",
            chunk,
        )

    def counters(self) -> LoaderCounters:
        """Returns what the threads that fetch ahead have done."""
        return self._counters

    def close(self, *, wait: bool = True) -> None:
        """Ends the threads that fetch ahead; what is under way has seconds to end, unless `wait` is false."""
        if self._pool is not None:
            self._pool.close(cancel=True, seconds=LEAVING_SECONDS / 2 if wait else 0)
            self._pool, self._shards, self._chunks, self._prefetched_bytes = None, {}, {}, 0

    def _fetch(self, chunk: int) -> bytes:
        if self._cached is None or self._pool is None:
            return self._read_range(chunk)
        shard = int(self._table.shard[chunk])
        if self._cached.keeps(shard):
            here = self._fetch_shard(shard)
            if (here.done() or self._cached.size(shard) <= LARGE_SHARD) and here.result():
                data = self._cached.read(shard, int(self._table.offset[chunk]), int(self._table.length[chunk]))
                if data is not None:
                    return data
        with self._lock:
            prefetched = self._chunks.pop(chunk, None)
            self._prefetched_bytes -= int(self._table.length[chunk]) if prefetched is not None else 0
        return self._read_range(chunk) if prefetched is None else prefetched.result()

    def _fetch_shard(self, shard: int) -> "Future[bool]":
        assert self._pool is not None and self._cached is not None
        with self._lock:
            if shard not in self._shards:
                self._shards[shard] = self._pool.submit(self._in_background, self._cached.fetch, shard)
            return self._shards[shard]

    def _in_background(self, work: Callable[[int], T], number: int) -> T:
        """Does the work of a fetching thread, whose CPU time counts like that of the others."""
        started = time.thread_time()
        try:
            return work(number)
        finally:
            with self._lock:
                self._counters.cpu_seconds["fetch"] += time.thread_time() - started

    def _read_range(self, chunk: int) -> bytes:
        shard, offset, length = (
            int(column[chunk]) for column in (self._table.shard, self._table.offset, self._table.length)
        )
        try:
            if self._local:
                return _read_file(self._paths[shard], offset, length)
            return self._request(shard, offset, length)
        except FileNotFoundError:
            raise self.damaged(chunk, "is gone: its shard is not in the store") from None
        except OSError as error:
            raise self.damaged(chunk, f"cannot be read ({error.strerror})") from error
        except InfraError as error:
            if self._dataset.store.size(self._paths[shard]) < offset + length:
                raise self.damaged(chunk, "is damaged: its shard ends before it") from error
            raise

    def _read_again(self, chunk: int) -> bytes:
        """Returns the chunk from the store itself, for what was wrong may be the cache's copy."""
        if self._cached is not None:
            self._cached.drop(int(self._table.shard[chunk]))
            data = self._read_range(chunk)
            if self._is_sound(chunk, data):
                return data
        raise self.damaged(chunk, "is damaged")

    def _is_sound(self, chunk: int, data: bytes) -> bool:
        expected: str = self._table.sha256[chunk].as_py()
        return hashlib.sha256(data).hexdigest() == expected

    def _request(self, shard: int, offset: int, length: int) -> bytes:
        """Reads bytes of a shard from the store, and repeats a request that fails; a missing file is an answer."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            try:
                data = self._dataset.store.read_range(self._paths[shard], offset, length)
                break
            except InfraError as error:
                failure = error
        else:
            raise failure
        with self._lock:
            self._counters.requests += 1
        return data


def _read_file(path: str, offset: int, length: int) -> bytes:
    """Returns bytes of a local file, fewer where it ends; going through the store would double the cost."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)
