"""`episodes.parquet` and `chunks.parquet`: every episode and chunk of a dataset, one row each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from infra.storage import clean_path
from pipelines.store.datasets.manifest import ShardManifest

CHUNKS: list[tuple[str, pa.DataType]] = [
    ("shard", pa.string()),
    ("offset", pa.int64()),
    ("length", pa.int64()),
    ("episode", pa.int64()),
    ("first_frame", pa.int64()),
    ("frames", pa.int64()),
    ("split", pa.string()),
    ("sha256", pa.string()),
]
EPISODES: list[tuple[str, pa.DataType]] = [
    ("episode", pa.int64()),
    ("seed", pa.int64()),
    ("split", pa.string()),
    ("shard", pa.string()),
    ("policy", pa.string()),
    ("steps", pa.int64()),
]
NEEDED = [column for column in EPISODES if column[0] != "policy"]
"""Columns of episodes.parquet that tables of older code have, too."""
ROWS = 65_536
"""Rows written together, however few a shard brings: many small row groups are slow to read."""


@dataclass(frozen=True)
class ChunkTable:
    """The chunks of one split in order of (episode, first frame), as arrays of n entries."""

    shards: tuple[str, ...]
    shard: NDArray[np.int64]
    """place in `shards`"""
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    episode: NDArray[np.int64]
    first_frame: NDArray[np.int64]
    frames: NDArray[np.int64]
    sha256: "pa.Array[Any]"

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def last_of_episode(self) -> NDArray[np.bool_]:
        """Returns whether each chunk ends its episode, (n,)."""
        return np.append(self.episode[1:] != self.episode[:-1], True)[: len(self)]

    @property
    def episode_frames(self) -> NDArray[np.int64]:
        """Returns the number of frames of the episode that each chunk belongs to, (n,)."""
        last = np.flatnonzero(self.last_of_episode)
        totals = self.first_frame[last] + self.frames[last]
        return totals[np.searchsorted(last, np.arange(len(self)))]


class TableWriter:
    """Turns markers, in the order of the plan, into the two Parquet files; equal markers give equal bytes."""

    def __init__(self, factors: Iterable[str]) -> None:
        self._factors = sorted(factors)
        variation: list[tuple[str, pa.DataType]] = [(f"variation/{factor}", pa.float64()) for factor in self._factors]
        self._episodes, self._chunks = _Rows(pa.schema(EPISODES + variation)), _Rows(pa.schema(CHUNKS))

    def add(self, marker: ShardManifest) -> None:
        """Adds the rows of one shard."""
        facts = marker.facts
        for entry in marker.episodes:
            row = entry.model_dump(exclude={"variation"}) | {"split": facts.split, "shard": facts.path}
            self._episodes.add(row | {f"variation/{factor}": entry.variation[factor] for factor in self._factors})
        for chunk in marker.chunks:
            self._chunks.add(chunk.model_dump() | {"split": facts.split, "shard": facts.path})

    def finish(self) -> tuple[bytes, bytes]:
        """Returns the bytes of episodes.parquet and chunks.parquet."""
        return self._episodes.finish(), self._chunks.finish()


def chunk_table(table: pa.Table, split: str) -> ChunkTable:
    """Returns the chunks of a split from the rows of chunks.parquet."""
    rows = table.filter(pc.equal(table["split"], pa.scalar(split))).sort_by(
        [("episode", "ascending"), ("first_frame", "ascending")]
    )
    shards = rows["shard"].combine_chunks().dictionary_encode()
    paths = tuple(clean_path(str(path)) for path in shards.dictionary.to_pylist())
    names = ("offset", "length", "episode", "first_frame", "frames")
    return ChunkTable(
        shards=paths,
        shard=shards.indices.to_numpy().astype(np.int64),
        sha256=rows["sha256"].combine_chunks(),
        **{name: rows[name].to_numpy() for name in names},
    )


def check_columns(table: pa.Table, wanted: Iterable[tuple[str, pa.DataType]]) -> None:
    """Passes where a table has the columns, each once, of their types and without gaps.

    Raises:
        ValueError: it has not; the message names the column.
    """
    for name, kind in wanted:
        if table.column_names.count(name) != 1 or table[name].type != kind or table[name].null_count:
            raise ValueError(f"column {name!r} is not there once, of type {kind}, with a value in each row")


class _Rows:
    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")
        self._waiting: list[dict[str, object]] = []

    def add(self, row: dict[str, object]) -> None:
        self._waiting.append(row)
        if len(self._waiting) == ROWS:
            self._flush()

    def finish(self) -> bytes:
        self._flush()
        self._writer.close()
        return self._sink.getvalue().to_pybytes()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, self._schema))
            self._waiting = []
