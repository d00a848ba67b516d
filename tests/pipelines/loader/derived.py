"""A dataset made from another one's chunks: in another store or container, or with many times the episodes."""

import dataclasses
import hashlib
from collections import defaultdict
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from infra.storage import Store
from jepa.core.config import to_json
from pipelines.store import CODECS, FORMATS, Dataset, DatasetManifest
from pipelines.store.datasets.index import CHUNKS
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import ShardFacts
from pipelines.store.formats import ShardFile, Span
from tests.pipelines.small_dataset import small_dataset


def derive(dataset: Dataset, store: Store, name: str, *, format: str | None = None, repeat: int = 1) -> Dataset:
    """Writes every episode `repeat` times, each under a number and in shards of its own."""
    held, layout = dataset.manifest, DatasetLayout(name)
    plan = held.plan.model_copy(update={"format": format or held.plan.format})
    container, quantities = FORMATS.get(plan.format), sorted(held.quantities)
    rows: list[dict[str, object]] = []
    shards: list[ShardFacts] = []
    counts: dict[str, int] = defaultdict(int)
    index: dict[str, list[ShardFile]] = defaultdict(list)
    chunks = dataset.chunks.to_pandas()
    for facts in held.shards:
        mine = _records(chunks[chunks["shard"] == facts.path].sort_values("offset"))
        data = dataset.store.read(DatasetLayout(dataset.name).file(facts.path))
        records = [data[row["offset"] : row["offset"] + row["length"]] for row in mine]
        stored = [FORMATS.get(held.plan.format).unpack(record, quantities) for record in records]
        for copy in range(repeat):
            shift = copy * held.plan.episodes
            moved = [dataclasses.replace(chunk, episode=chunk.episode + shift) for chunk in stored]
            packed, spans = container.pack(moved, CODECS.get(plan.codec).suffix)
            path = f"shards/{facts.split}/shard-{counts[facts.split]:06d}.{container.suffix}"
            counts[facts.split] += 1
            store.write(layout.file(path), packed)
            shards.append(_facts(facts, path, packed))
            index[facts.split].append(ShardFile(path.rpartition("/")[2], len(packed), len(spans)))
            rows += [_row(row, path, packed, span, shift) for row, span in zip(mine, spans, strict=True)]
    for split, files in index.items():
        for file, content in container.index(files, quantities).items():
            store.write(layout.file(f"shards/{split}/{file}"), content)
    table = _parquet(rows)
    store.write(layout.version(1, "chunks.parquet"), table)
    digests = {"chunks.parquet": hashlib.sha256(table).hexdigest()}
    manifest: DatasetManifest = held.model_copy(
        update={"name": name, "version": 1, "plan": plan, "shards": tuple(shards), "files": digests}
    )
    store.write(layout.manifest, to_json(manifest))
    return Dataset(store, name)


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def million_clips(store: Store) -> Dataset:
    """Writes a dataset of a million clips in more than six hundred shards."""
    source = small_dataset(
        store, episodes=40, steps=1000, image_size=16, chunk_frames=50, episodes_per_shard=2, policy="random"
    )
    return derive(source, store, "large", repeat=34)


def _facts(facts: ShardFacts, path: str, data: bytes) -> ShardFacts:
    digest = hashlib.sha256(data).hexdigest()
    return facts.model_copy(update={"path": path, "bytes": len(data), "sha256": digest})


def _row(row: dict[str, object], path: str, data: bytes, span: Span, shift: int) -> dict[str, object]:
    digest = hashlib.sha256(data[span.offset : span.offset + span.length]).hexdigest()
    place = {"shard": path, "offset": span.offset, "length": span.length, "sha256": digest}
    return row | place | {"episode": int(str(row["episode"])) + shift}


def _parquet(rows: list[dict[str, object]]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows, pa.schema(CHUNKS)), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data
