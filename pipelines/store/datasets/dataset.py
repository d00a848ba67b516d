"""A committed dataset, read by address: any chunk by its row, whole episodes in order."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.episodes import SPLITS, Episode, Pixels
from jepa.core.errors import InputError
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.chunk import ChunkArrays, decode_chunk
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.index import CHUNKS, NEEDED, ChunkTable, check_columns, chunk_table
from pipelines.store.datasets.integrity.digests import repair_remedy
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import DatasetManifest
from pipelines.store.datasets.moments import Moments
from pipelines.store.formats import FORMATS
from pipelines.store.parquet import read_parquet
from pipelines.store.references import DatasetRef
from pipelines.store.sealed import sha256

GAP = 1 << 16
"""Chunks of a shard that lie closer than this are fetched in one request: bytes are cheaper than requests."""


class Dataset:
    """A dataset of a store; an `EpisodeSource`, and the loader's ground."""

    def __init__(
        self, store: Store, name: str, version: int | None = None, manifest: DatasetManifest | None = None
    ) -> None:
        """Opens a version of a dataset, by default the newest; only its manifest is read, unless it is given.

        A job resolves a version once and opens it by `open_dataset`.

        Raises:
            InputError: there is no such dataset or version; the message lists those that there are.
        """
        manifest = manifest or DatasetHandle(store, name).require(version)
        self.store = store
        self.name = name
        self.manifest: DatasetManifest = manifest
        self.world: str = manifest.plan.world
        self.world_options: Mapping[str, object] = manifest.plan.world_options
        self.frame_every: int = manifest.plan.frame_every
        self.action_size: int = manifest.action_size
        self.quantities: Mapping[str, int] = manifest.quantities
        self._layout = DatasetLayout(name)
        self._codec = CODECS.get(manifest.plan.codec)
        self._container = FORMATS.get(manifest.plan.format)
        self._quantities = sorted(manifest.quantities)

    @staticmethod
    def exists(store: Store, name: str) -> bool:
        """Returns whether the dataset was collected to its end."""
        return DatasetHandle(store, name).manifest() is not None

    @property
    def statistics(self) -> dict[str, Moments]:
        """Returns the moments of `action` and of each `state/<name>` over the train split."""
        return self.manifest.statistics

    @cached_property
    def chunks(self) -> pa.Table:
        """Returns the rows of chunks.parquet."""
        return self._table("chunks.parquet", CHUNKS)

    @cached_property
    def episode_rows(self) -> pa.Table:
        """Returns the rows of episodes.parquet: seed, split, shard, policy, steps and variation/<factor> of each."""
        return self._table("episodes.parquet", NEEDED)

    def chunk_table(self, split: str) -> ChunkTable:
        """Returns the chunks of one split as arrays.

        Raises:
            InputError: there is no such split.
            InfraError: the table has other chunks than the manifest says.
        """
        table, manifest = chunk_table(self.chunks, check_split(split)), self.manifest
        numbers = (table.offset, table.length, table.episode, table.first_frame, table.frames)
        found = (len(table), sum(table.frames.tolist()))
        # Readers make arrays of these figures.
        if found != (manifest.total("chunks", split), manifest.total("frames", split)) or not all(
            (array >= 0).all() for array in numbers
        ):
            path = self.store.address(self._layout.version(manifest.version, "chunks.parquet"))
            raise InfraError(
                f"{path} has other chunks of split {split!r} than the manifest beside it; the dataset was not "
                "written by this code, collect it again under another name"
            )
        return table

    def count(self, split: str) -> int:
        """Returns how many episodes the split holds."""
        return self.manifest.total("episodes", check_split(split))

    def episodes(self, split: str, limit: int | None = None) -> Iterator[Episode]:
        """Yields the split's episodes in order of index, the first `limit` of them, reading ahead one shard at most."""
        yield from self.episodes_at(split, np.unique(self.chunk_table(split).episode)[:limit].tolist())

    def episodes_at(self, split: str, indices: Collection[int]) -> Iterator[Episode]:
        """Yields the split's episodes of these indices in order of index, reading ahead one shard at most."""
        table = self.chunk_table(split)
        facts = {row["episode"]: row for row in self.episode_rows.to_pylist() if row["split"] == split}
        wanted = np.array(sorted(indices), dtype=np.int64)
        rows = np.flatnonzero(np.isin(table.episode, wanted))
        # Episodes of a split fill its shards in order, so that a shard's rows are neighbours here.
        for group in np.split(rows, np.flatnonzero(np.diff(table.shard[rows])) + 1) if len(rows) else []:
            records = self.read_records(table, group)
            for index in np.unique(table.episode[group]):
                parts = [self.decode(table, row, records[row]) for row in group if table.episode[row] == index]
                yield _join(facts[index], parts, self.frame_every)

    def read_records(self, table: ChunkTable, rows: NDArray[np.integer[Any]]) -> dict[int, bytes]:
        """Returns the stored bytes of chunks of one shard, in one request where they lie close together."""
        order = rows[np.argsort(table.offset[rows])]
        ends = table.offset[order] + table.length[order]
        records: dict[int, bytes] = {}
        for run in np.split(order, np.flatnonzero(table.offset[order][1:] - ends[:-1] > GAP) + 1):
            start, end = int(table.offset[run[0]]), int(table.offset[run[-1]] + table.length[run[-1]])
            data = self._range(self.shard_path(table, int(run[0])), start, end - start)
            for row in run.tolist():
                offset = int(table.offset[row]) - start
                records[row] = data[offset : offset + int(table.length[row])]
        return records

    def decode(self, table: ChunkTable, row: int, record: bytes, into: Pixels | None = None) -> ChunkArrays:
        """Returns the arrays of a chunk from its stored bytes, which are checked first; frames go into `into` if given.

        Raises:
            InfraError: the bytes are not those that were collected; names dataset, shard and chunk.
        """
        if hashlib.sha256(record).hexdigest() != table.sha256[row].as_py():
            where = f"episode {table.episode[row]} from frame {table.first_frame[row]}"
            shard = table.shards[table.shard[row]]
            raise InfraError(f"dataset {self.name!r}, {shard}: the chunk of {where} is damaged; {self._remedy}")
        try:
            stored = self._container.unpack(record, self._quantities)
            expected = (int(table.frames[row]), *self.manifest.image_size)
            if stored.shape != expected:
                raise ValueError(f"frames of shape {stored.shape} and not {expected}")
            return decode_chunk(stored, self._codec, into)
        except (ValueError, KeyError, TypeError, EOFError) as error:
            where = f"episode {table.episode[row]} from frame {table.first_frame[row]}"
            what = str(error).partition("\n")[0]
            raise InfraError(
                f"dataset {self.name!r}, {table.shards[table.shard[row]]}: what lies at the chunk of {where} is none "
                f"({what}); the dataset was not written by this code, collect it again under another name"
            ) from error

    def shard_path(self, table: ChunkTable, row: int) -> str:
        """Returns the store's path of the shard that holds a chunk."""
        return self._layout.file(table.shards[table.shard[row]])

    def _range(self, path: str, offset: int, length: int) -> bytes:
        try:
            return self.store.read_range(path, offset, length)
        except FileNotFoundError as error:
            raise InfraError(f"dataset {self.name!r} lacks {self.store.address(path)}; {self._remedy}") from error

    def _table(self, name: str, columns: list[tuple[str, pa.DataType]]) -> pa.Table:
        try:
            table = read_parquet(self._file(name))
            check_columns(table, columns)
            return table
        except (pa.ArrowException, OSError, ValueError) as error:
            path = self.store.address(self._layout.version(self.manifest.version, name))
            reason = str(error).partition("\n")[0][:100]
            raise InfraError(
                f"{path} is no table of a dataset ({reason}); collect it again under another name"
            ) from error

    def _file(self, name: str) -> bytes:
        """Returns a file beside the shards, checked by the digest that the manifest has of it."""
        path = self._layout.version(self.manifest.version, name)
        try:
            data = self.store.read(path)
        except FileNotFoundError as error:
            raise InfraError(f"dataset {self.name!r} lacks {self.store.address(path)}; {self._remedy}") from error
        if sha256(data) != self.manifest.files.get(name):
            raise InfraError(f"{self.store.address(path)} is damaged: its digest is another one; {self._remedy}")
        return data

    @property
    def _remedy(self) -> str:
        return repair_remedy(self._layout)


class DatasetGoneError(InfraError):
    """A version that something was made from is gone, or its name stands for other content."""

    final: ClassVar[bool] = True


def open_dataset(store: Store, reference: DatasetRef) -> Dataset:
    """Returns the very version that a reference was resolved to.

    Raises:
        DatasetGoneError: it is gone, or another dataset has its name now.
    """
    manifest = DatasetHandle(store, reference.name).manifest(reference.version)
    if manifest is None:
        raise DatasetGoneError(
            f"dataset {reference} is gone from store {store.uri!r}; collect it again, or choose another"
        )
    if manifest.reference != reference:
        raise DatasetGoneError(
            f"dataset {reference} in store {store.uri!r} has other content than when it was chosen: it was removed and "
            "collected again; take another name for other data"
        )
    return Dataset(store, reference.name, manifest=manifest)


def check_split(split: str) -> str:
    """Returns the name if it is a split's.

    Raises:
        InputError: it is not.
    """
    if split not in SPLITS:
        raise InputError(f"split {split!r} is not known; choose one of: {', '.join(SPLITS)}")
    return split


def _join(facts: dict[str, object], parts: list[ChunkArrays], frame_every: int) -> Episode:
    """Returns the episode whose chunks these are, in order."""
    prefix = "variation/"
    return Episode(
        index=int(str(facts["episode"])),
        seed=int(str(facts["seed"])),
        split=str(facts["split"]),
        variation={
            name.removeprefix(prefix): float(str(value)) for name, value in facts.items() if name.startswith(prefix)
        },
        policy=str(facts.get("policy", facts.get("behaviour"))),  # the column's name in older versions
        pixels=np.concatenate([part.pixels for part in parts]),
        action=np.concatenate([part.action for part in parts]),
        state={name: np.concatenate([part.state[name] for part in parts]) for name in parts[0].state},
        frame_every=frame_every,
    )
