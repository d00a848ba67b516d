"""The stored bytes of chunks: from a local folder, or from S3 through the cache of whole shards, fetched ahead."""

import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from infra.errors import InfraError
from infra.storage.local import LocalStore
from pipelines.loader.config import MEGABYTE, LoaderConfig
from pipelines.loader.counters import LoaderCounters
from pipelines.loader.native.shard_cache import ShardCache
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.index import ChunkTable

T = TypeVar("T")
FETCHERS = 16
"""Requests to a store at the same time: they wait for the network, not for a core."""
ATTEMPTS = 6
FIRST_PAUSE = 0.1
"""Seconds before a failed request is repeated; each time twice as long."""
PIECE = 16 * MEGABYTE
"""Bytes of a shard that are in memory while it is fetched."""
WAIT_FOR = 32 * MEGABYTE
"""A larger shard is not waited for: until it is here, its chunks are fetched alone."""
AHEAD = 64 * MEGABYTE
"""Bytes of single chunks that are fetched before they are needed."""


class DamagedChunkError(InfraError):
    """A chunk that is not as it was collected, or is gone; told by dataset, shard and chunk."""

    final: ClassVar[bool] = True

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row
        """in the table of the split's chunks"""

    def __reduce__(self) -> tuple[type["DamagedChunkError"], tuple[str, int]]:
        return DamagedChunkError, (str(self), self.row)


class ChunkSource:
    """Reads the chunks of one split; safe for many threads."""

    def __init__(self, dataset: Dataset, table: ChunkTable, config: LoaderConfig) -> None:
        """Takes the chunks that will be asked for, by their rows in the table; nothing is read."""
        self._dataset = dataset
        self._table = table
        self._checked: NDArray[np.bool_] = np.zeros(len(table), np.bool_)
        self._lock = threading.Lock()
        self._fetched = LoaderCounters()
        self._local = isinstance(dataset.store, LocalStore)
        paths = [dataset.shard_path(table, int(row)) for row in np.unique(table.shard, return_index=True)[1]]
        self._paths = [dataset.store.address(path) if self._local else path for path in paths]
        self._pool: ThreadPoolExecutor | None = None
        self._shards = None if self._local else _CachedShards(dataset, table, config, self._paths, self._patiently)
        self._whole: dict[int, Future[bool]] = {}
        self._single: dict[int, Future[bytes]] = {}
        self._ahead = 0

    def open(self) -> None:
        """Starts the threads that fetch ahead, where reading means waiting."""
        if not self._local and self._pool is None:
            self._pool = ThreadPoolExecutor(FETCHERS, thread_name_prefix="loader-fetch")

    def expect(self, row: int) -> None:
        """Begins to fetch what a chunk needs; does nothing where reading costs no wait."""
        if self._pool is None or self._shards is None:
            return
        shard, length = int(self._table.shard[row]), int(self._table.length[row])
        if self._shards.keeps(shard):
            self._fetch_shard(shard)
            return
        with self._lock:
            if row in self._single or self._ahead + length > AHEAD:
                return
            self._ahead += length
            self._single[row] = self._pool.submit(self._in_background, self._read_range, row)

    def read(self, row: int, counters: LoaderCounters) -> bytes:
        """Returns the stored bytes of a chunk; those that this loader reads for the first time are checked.

        Raises:
            DamagedChunkError: they are not those that were collected, or the shard is gone.
            InfraError: the store does not answer.
        """
        with counters.stage("fetch"):
            record = self._fetch(row)
        counters.fetched_bytes += len(record)
        if self._checked[row]:
            return record
        with counters.stage("check"):
            if not self._is_sound(row, record):
                record = self._read_again(row)
            self._checked[row] = True
        return record

    def damage(self, row: int, what: str) -> DamagedChunkError:
        """Returns the error that names a chunk."""
        table, name = self._table, self._dataset.name
        return DamagedChunkError(
            f"dataset {name!r}, {table.shards[table.shard[row]]}: the chunk of episode {table.episode[row]} from frame "
            f"{table.first_frame[row]} {what}; `jepa verify {name}` lists all such",
            row,
        )

    def counters(self) -> LoaderCounters:
        """Returns what fetching cost beside the threads that cut."""
        return self._fetched

    def close(self) -> None:
        """Ends the fetching; what is under way is waited for."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool, self._whole, self._single, self._ahead = None, {}, {}, 0

    def _fetch(self, row: int) -> bytes:
        if self._shards is None or self._pool is None:
            return self._read_range(row)
        shard = int(self._table.shard[row])
        if self._shards.keeps(shard):
            here = self._fetch_shard(shard)
            if (here.done() or self._shards.size(shard) <= WAIT_FOR) and here.result():
                record = self._shards.read(shard, int(self._table.offset[row]), int(self._table.length[row]))
                if record is not None:
                    return record
        with self._lock:
            expected = self._single.pop(row, None)
            self._ahead -= int(self._table.length[row]) if expected is not None else 0
        return self._read_range(row) if expected is None else expected.result()

    def _fetch_shard(self, shard: int) -> "Future[bool]":
        assert self._pool is not None and self._shards is not None
        with self._lock:
            if shard not in self._whole:
                self._whole[shard] = self._pool.submit(self._in_background, self._shards.fetch, shard)
            return self._whole[shard]

    def _in_background(self, work: Callable[[int], T], number: int) -> T:
        """Does the work of a fetching thread, whose CPU time counts like that of the others."""
        started = time.thread_time()
        try:
            return work(number)
        finally:
            with self._lock:
                self._fetched.cpu_seconds["fetch"] += time.thread_time() - started

    def _read_range(self, row: int) -> bytes:
        table, store = self._table, self._dataset.store
        offset, length, path = int(table.offset[row]), int(table.length[row]), self._paths[int(table.shard[row])]
        try:
            if self._local:
                return _read_file(path, offset, length)
            return self._patiently(lambda: store.read_range(path, offset, length))
        except FileNotFoundError:
            raise self.damage(row, "is gone: its shard is not in the store") from None
        except OSError as error:
            raise self.damage(row, f"cannot be read ({error.strerror})") from error
        except InfraError as error:
            if store.size(path) < offset + length:
                raise self.damage(row, "is damaged: its shard ends before it") from error
            raise

    def _read_again(self, row: int) -> bytes:
        """Returns the chunk from the store itself, for what was wrong may be the cache's copy."""
        if self._shards is not None:
            self._shards.drop(int(self._table.shard[row]))
            record = self._read_range(row)
            if self._is_sound(row, record):
                return record
        raise self.damage(row, "is damaged")

    def _is_sound(self, row: int, record: bytes) -> bool:
        return hashlib.sha256(record).hexdigest() == self._table.sha256[row].as_py()

    def _patiently(self, read: Callable[[], bytes]) -> bytes:
        """Repeats a request that fails; a file that is not there is an answer."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
            try:
                data = read()
                break
            except InfraError as error:
                failure = error
        else:
            raise failure
        with self._lock:
            self._fetched.requests += 1
        return data


def _read_file(path: str, offset: int, length: int) -> bytes:
    """Returns bytes of a local file, fewer where it ends; a store's own way there costs as much as reading them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, length, offset)
    finally:
        os.close(descriptor)


class _CachedShards:
    """Which shards of a split are kept whole, and their bytes."""

    def __init__(
        self,
        dataset: Dataset,
        table: ChunkTable,
        config: LoaderConfig,
        paths: Sequence[str],
        patiently: Callable[[Callable[[], bytes]], bytes],
    ) -> None:
        facts = {shard.path: shard for shard in dataset.manifest.shards}
        self._facts = [facts[path] for path in table.shards]
        self._dataset = dataset
        self._paths = paths
        self._patiently = patiently
        limit = config.cache_megabytes * MEGABYTE
        self._cache = ShardCache(config.cache_path(), limit)
        # An epoch comes back to every shard equally often: where not all fit, evicting would only carry bytes to and
        # fro, so the first ones are kept and the others never.
        self._kept = np.cumsum([shard.bytes for shard in self._facts]) <= limit

    def keeps(self, shard: int) -> bool:
        """Returns whether a shard is read from the cache."""
        return bool(self._kept[shard])

    def size(self, shard: int) -> int:
        """Returns a shard's size."""
        return self._facts[shard].bytes

    def fetch(self, shard: int) -> bool:
        """Brings a shard into the cache and returns whether it is there; if not, its chunks are read one by one."""
        facts = self._facts[shard]
        try:
            here = self._cache.add(facts.sha256, facts.bytes, self._pieces(shard))
        except OSError as error:
            self._give_up(error)
            here = False
        except InfraError:
            here = False  # reading the chunk itself will tell what is wrong
        if not here:
            self._kept[shard] = False
        return here

    def read(self, shard: int, offset: int, length: int) -> bytes | None:
        """Returns bytes of a shard, or None if another job's shards have taken its place."""
        record = self._cache.read(self._facts[shard].sha256, offset, length)
        if record is None:
            self._kept[shard] = False
        return record

    def drop(self, shard: int) -> None:
        """Forgets a shard whose copy is damaged."""
        self._kept[shard] = False
        self._cache.drop(self._facts[shard].sha256)

    def _pieces(self, shard: int) -> Iterator[bytes]:
        facts, store = self._facts[shard], self._dataset.store
        path = self._paths[shard]
        for start in range(0, facts.bytes, PIECE):
            length = min(PIECE, facts.bytes - start)
            yield self._patiently(partial(store.read_range, path, start, length))

    def _give_up(self, error: OSError) -> None:
        """Says once that the cache cannot be used, and goes on without it."""
        if self._kept.any():
            self._kept[:] = False
            warnings.warn(
                f"the shard cache cannot be written ({error.strerror or error}): chunks are read from "
                f"{self._dataset.store.uri} one by one, which is slower; free some space or set loader.cache_folder",
                RuntimeWarning,
                stacklevel=2,
            )
