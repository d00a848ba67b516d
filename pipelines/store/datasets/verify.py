"""Re-reads every byte of a dataset and names what is damaged or missing."""

import hashlib

import numpy as np

from infra.storage import Store
from jepa.core.config import Config, to_json
from jepa.core.episodes import SPLITS
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.index import ChunkTable
from pipelines.store.datasets.manifest import DatasetManifest, ShardFacts


class Problem(Config):
    """One thing that is not as it was collected."""

    path: str
    """relative to the dataset's folder"""
    kind: str
    """`missing` or `damaged`"""
    detail: str = ""


class VerifyReport(Config):
    """What a verification found."""

    dataset: str
    version: int
    shards: int
    chunks: int
    bytes: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether every byte is as it was collected."""
        return not self.problems


def verify(dataset: DatasetHandle, version: int | None = None) -> VerifyReport:
    """Reads all files of a version of a dataset, by default the newest, and compares every digest.

    Raises:
        InputError: there is no such dataset or version.
        InfraError: the store cannot be read.
    """
    manifest, store, layout = dataset.require(version), dataset.store, dataset.layout
    problems = [
        problem
        for path, digest in expected_files(dataset, manifest).items()
        if (problem := _check(path, _read(store, layout.file(path)), digest)) is not None
    ]
    own_table = layout.version(manifest.version, "chunks.parquet")
    readable = not any(layout.file(problem.path) == own_table for problem in problems)
    reader = Dataset(store, dataset.name, manifest=manifest)
    tables = {split: reader.chunk_table(split) for split in SPLITS} if readable else {}
    for facts in manifest.shards:
        data = _read(store, layout.file(facts.path))
        problem = _check(facts.path, data, facts.sha256)
        if problem is not None:
            table = tables.get(facts.split)
            detail = "; ".join(_damaged_chunks(table, facts, data)) if table is not None and data is not None else ""
            problems.append(problem.model_copy(update={"detail": detail}))
    return VerifyReport(
        dataset=dataset.name,
        version=manifest.version,
        shards=len(manifest.shards),
        chunks=manifest.total("chunks"),
        bytes=manifest.total("bytes"),
        problems=tuple(problems),
    )


def expected_files(dataset: DatasetHandle, manifest: DatasetManifest) -> dict[str, str]:
    """Returns the digest of every file beside the shards: the version's own and, of the newest, the copies above."""
    own = {f"versions/{manifest.version:06d}/{path}": digest for path, digest in manifest.files.items()}
    newest = dataset.manifest()
    if newest is not None and newest.version > manifest.version:
        return own
    return own | manifest.files | {"manifest.json": hashlib.sha256(to_json(manifest)).hexdigest()}


def _read(store: Store, path: str) -> bytes | None:
    try:
        return store.read(path)
    except FileNotFoundError:
        return None


def _check(path: str, data: bytes | None, digest: str) -> Problem | None:
    if data is None:
        return Problem(path=path, kind="missing")
    return None if hashlib.sha256(data).hexdigest() == digest else Problem(path=path, kind="damaged")


def _damaged_chunks(table: ChunkTable, facts: ShardFacts, data: bytes) -> list[str]:
    """Returns which chunks of a damaged shard are themselves damaged; none where the harm lies between them."""
    if facts.path not in table.shards:
        return []
    damaged = []
    for row in np.flatnonzero(table.shard == table.shards.index(facts.path)).tolist():
        start = int(table.offset[row])
        if hashlib.sha256(data[start : start + int(table.length[row])]).hexdigest() != table.sha256[row].as_py():
            damaged.append(f"episode {table.episode[row]} from frame {table.first_frame[row]}")
    return damaged
