"""The shards of a split that are kept whole in the shard cache, and what is done where the cache cannot be used."""

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from infra.errors import InfraError
from pipelines.loader.config import MEGABYTE, LoaderConfig
from pipelines.loader.native.shard_cache import ShardCache
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.index import ChunkTable

PIECE = 16 * MEGABYTE
"""Bytes of a shard that are in memory while it is fetched."""
Request = Callable[[int, int, int], bytes]
"""Reads from a store: shard, offset, length."""


class CachedSplit:
    """Which shards of a split are kept in the cache, and their bytes; safe for many threads."""

    def __init__(self, dataset: Dataset, table: ChunkTable, config: LoaderConfig, request: Request) -> None:
        """Takes the split, the settings of the cache, and what reads from the store; nothing is read."""
        facts = {shard.path: shard for shard in dataset.manifest.shards}
        self._facts = [facts[path] for path in table.shards]
        self._uri = dataset.store.uri
        self._request = request
        limit = config.cache_megabytes * MEGABYTE
        self._cache = ShardCache(config.cache_path(), limit)
        # An epoch reads every shard equally often: where not all fit, evicting would only move bytes around, so the
        # first ones are kept and the others never.
        self._kept = np.cumsum([shard.bytes for shard in self._facts]) <= limit

    def keeps(self, shard: int) -> bool:
        """Returns whether a shard is read from the cache."""
        return bool(self._kept[shard])

    def size(self, shard: int) -> int:
        """Returns a shard's size in bytes."""
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
            here = False  # reading the chunk itself will show what is wrong
        if not here:
            self._kept[shard] = False
        return here

    def read(self, shard: int, offset: int, length: int) -> bytes | None:
        """Returns bytes of a shard, or None if another job's shards have taken its place."""
        data = self._cache.read(self._facts[shard].sha256, offset, length)
        if data is None:
            self._kept[shard] = False
        return data

    def drop(self, shard: int) -> None:
        """Removes a shard whose copy is damaged."""
        self._kept[shard] = False
        self._cache.drop(self._facts[shard].sha256)

    def _pieces(self, shard: int) -> Iterator[bytes]:
        size = self.size(shard)
        for start in range(0, size, PIECE):
            yield self._request(shard, start, min(PIECE, size - start))

    def _give_up(self, error: OSError) -> None:
        """Says once that the cache cannot be used, and goes on without it."""
        if self._kept.any():
            self._kept[:] = False
            warnings.warn(
                f"the shard cache cannot be written ({error.strerror or error}): chunks are read from "
                f"{self._uri} one by one, which is slower; free some space or set loader.cache_folder",
                RuntimeWarning,
                stacklevel=2,
            )
