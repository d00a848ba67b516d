"""Copies of a dataset: damaged, or in a store that is reached like a remote one, by requests that can fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store import Dataset


def copied(dataset: Dataset, store: Store) -> Dataset:
    """Returns a copy of the dataset in another store."""
    for path in dataset.store.list("datasets/"):
        store.write(path, dataset.store.read(path))
    return Dataset(store, dataset.name)


def damage(dataset: Dataset, chunk: int) -> str:
    """Flips a bit of a chunk of the train split and returns what names it."""
    table = dataset.chunk_table("train")
    path = dataset.shard_path(table, chunk)
    data = bytearray(dataset.store.read(path))
    data[int(table.offset[chunk]) + 60] ^= 1
    dataset.store.write(path, bytes(data))
    return f"dataset 'small', {table.shards[table.shard[chunk]]}: the chunk of episode {table.episode[chunk]}"


class RemoteStore(Store):
    """Another store's objects, which no loader takes for local files; counts its range requests and fails on demand."""

    def __init__(self, store: Store) -> None:
        self.uri = f"remote:{store.uri}"
        self.requests = 0
        self.failures = 0
        """requests that fail before the next one that does not"""
        self._store = store

    @contextmanager
    def failing(self, times: int) -> Iterator[None]:
        """The next so many range requests fail."""
        self.failures = times
        yield
        self.failures = 0

    def read_range(self, path: str, offset: int, length: int) -> bytes:
        self.requests += 1
        if self.failures:
            self.failures -= 1
            raise InfraError("the store is away")
        return self._store.read_range(path, offset, length)

    def read(self, path: str) -> bytes:
        return self._store.read(path)

    def write(self, path: str, data: bytes) -> None:
        self._store.write(path, data)

    def write_if_absent(self, path: str, data: bytes) -> bool:
        return self._store.write_if_absent(path, data)

    def exists(self, path: str) -> bool:
        return self._store.exists(path)

    def size(self, path: str) -> int:
        return self._store.size(path)

    def list(self, prefix: str = "") -> list[str]:
        return self._store.list(prefix)

    def delete(self, path: str) -> None:
        self._store.delete(path)

    def address(self, path: str = "") -> str:
        return f"remote:{self._store.address(path)}"

    def written(self, prefix: str = "") -> dict[str, datetime]:
        return self._store.written(prefix)

    def arrow(self) -> Any:
        return self._store.arrow()


def remote(dataset: Dataset) -> tuple[Dataset, RemoteStore]:
    """Returns the dataset as one that is read by requests, and the store that counts them."""
    store = RemoteStore(dataset.store)
    return Dataset(store, dataset.name), store
