"""Makes a version of a dataset of finished shards: indexes, card and, last, the manifest."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import to_json
from pipelines.store.datasets.card import dataset_card
from pipelines.store.datasets.coverage import merge
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.index import TableWriter
from pipelines.store.datasets.manifest import (
    CoverageEntry,
    DatasetManifest,
    ShardFacts,
    ShardManifest,
    check_same_plan,
    read_marker,
)
from pipelines.store.datasets.moments import Moments, merge_all
from pipelines.store.datasets.plan import DatasetPlan, ShardPlan
from pipelines.store.formats import FORMATS, ShardFile

READERS = 16
"""Markers read at the same time: on S3 each is mostly waiting."""


class Committed(NamedTuple):
    """A version that stands, and whether it was this call that made it."""

    manifest: DatasetManifest
    ours: bool


def commit(dataset: DatasetHandle, plan: DatasetPlan, codec_trial: dict[str, float] | None = None) -> Committed:
    """Writes everything but the shards; of two at once, one writes the manifest and both return it.

    Raises:
        InfraError: a shard's marker is missing.
        InputError: another plan was committed under this name meanwhile.
    """
    store, layout = dataset.store, dataset.layout
    gathered = gather(dataset, plan)
    files = {
        path: _keep(store, layout.version(plan.version, path), data)
        for path, data in render_files(dataset.name, plan, gathered, code_version(), codec_trial or {}).items()
    }
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())}
    manifest = _manifest(dataset.name, plan, gathered, code_version(), codec_trial or {}, digests)
    path = layout.version(plan.version, "manifest.json")
    ours = store.write_if_absent(path, to_json(manifest))
    if not ours:
        held = dataset.manifest(plan.version)
        if held is None:
            raise InfraError(f"{store.address(path)} was there and is gone; is somebody deleting this dataset?")
        check_same_plan(dataset.name, held.plan, plan)
        # A request that was repeated after a lost answer finds its own object.
        ours, manifest = held == manifest, held
    publish(dataset, manifest)
    return Committed(manifest, ours)


def publish(dataset: DatasetHandle, manifest: DatasetManifest) -> None:
    """Copies a version's files to where the newest is looked for, the manifest last; what is there already stays."""
    store, layout = dataset.store, dataset.layout
    for path, digest in manifest.files.items():
        if _digest(store, layout.file(path)) != digest:
            store.write(layout.file(path), store.read(layout.version(manifest.version, path)))
    if _digest(store, layout.manifest) != hashlib.sha256(to_json(manifest)).hexdigest():
        store.write(layout.manifest, to_json(manifest))
    newest = dataset.manifest()
    if newest is not None and newest.version > manifest.version:  # extended meanwhile: the last word is the newest's
        publish(dataset, newest)


class Gathered:
    """What the markers of all shards say together."""

    def __init__(self) -> None:
        self.facts: list[ShardFacts] = []
        self.all: dict[str, Moments] = {}
        self.train: dict[str, Moments] = {}
        self.policies: dict[str, int] = {}
        self.steps: list[int] = []
        self.coverage: CoverageEntry | None = None
        self.image_size = (0, 0)
        self.tables = (b"", b"")

    def add(self, marker: ShardManifest) -> None:
        """Adds one shard; sums of floating-point numbers depend on the order, which is the plan's."""
        self.facts.append(marker.facts)
        self.image_size = marker.image_size
        self.all = merge_all(self.all, marker.statistics)
        if marker.facts.split == "train":
            self.train = merge_all(self.train, marker.statistics)
        self.coverage = merge(self.coverage, marker.coverage)
        for entry in marker.episodes:
            self.policies[entry.policy] = self.policies.get(entry.policy, 0) + 1
            self.steps.append(entry.steps)

    @property
    def quantities(self) -> dict[str, int]:
        """Returns the dimensions of each quantity."""
        return {
            name.removeprefix("state/"): len(moments.mean)
            for name, moments in self.all.items()
            if name.startswith("state/")
        }


def gather(dataset: DatasetHandle, plan: DatasetPlan) -> Gathered:
    """Reads the markers in the plan's order, so that sums and rows do not depend on who finished when.

    Raises:
        InfraError: a shard has no marker of this plan.
    """
    gathered = Gathered()
    writer = TableWriter(factor.name for factor in plan.factors)
    for shard, marker in read_markers(dataset, plan):
        if marker is None:
            raise InfraError(f"dataset {dataset.name!r} lacks shard {shard.name}; collect it again")
        writer.add(marker)
        gathered.add(marker)
    gathered.tables = writer.finish()
    return gathered


def read_markers(
    dataset: DatasetHandle, plan: DatasetPlan, count: int | None = None
) -> Iterator[tuple[ShardPlan, ShardManifest | None]]:
    """Yields the first `count` shards (by default all) with their markers; None where there is none of this plan."""

    def read(number: int) -> tuple[ShardPlan, ShardManifest | None]:
        shard = plan.shard(number)
        marker = read_marker(dataset.store, dataset.layout.marker(shard))
        return shard, marker if marker is not None and marker.plan_digest == shard.digest else None

    with ThreadPoolExecutor(READERS) as pool:
        numbers = range(plan.shard_count if count is None else count)
        for start in range(0, len(numbers), 8 * READERS):  # a few at a time: a marker may hold thousands of rows
            yield from pool.map(read, numbers[start : start + 8 * READERS])


def render_files(
    name: str, plan: DatasetPlan, gathered: Gathered, code: str, codec_trial: dict[str, float]
) -> dict[str, bytes]:
    """Returns every file beside the shards and the manifest, by its path in the dataset's folder."""
    manifest = _manifest(name, plan, gathered, code, codec_trial, {})
    card = dataset_card(manifest, gathered.all, gathered.policies, gathered.coverage, gathered.steps)
    episodes, chunks = gathered.tables
    return {
        "episodes.parquet": episodes,
        "chunks.parquet": chunks,
        "card.md": card.encode(),
        **_split_indexes(plan, gathered.facts, gathered.quantities),
    }


def _manifest(
    name: str,
    plan: DatasetPlan,
    gathered: Gathered,
    code: str,
    codec_trial: dict[str, float],
    files: dict[str, str],
) -> DatasetManifest:
    return DatasetManifest(
        name=name,
        version=plan.version,
        plan=plan,
        plan_digest=plan.fingerprint(),
        code_version=code,
        image_size=gathered.image_size,
        action_size=len(gathered.all["action"].mean),
        quantities=gathered.quantities,
        statistics=gathered.train,
        codec_trial=codec_trial,
        shards=tuple(gathered.facts),
        files=files,
    )


def _split_indexes(plan: DatasetPlan, facts: list[ShardFacts], quantities: dict[str, int]) -> dict[str, bytes]:
    container = FORMATS.get(plan.format)
    files: dict[str, bytes] = {}
    for split in dict.fromkeys(shard.split for shard in facts):
        shards = [ShardFile(one.path.rpartition("/")[2], one.bytes, one.chunks) for one in facts if one.split == split]
        index = container.index(shards, sorted(quantities))
        files |= {f"shards/{split}/{name}": data for name, data in index.items()}
    return files


def _keep(store: Store, path: str, data: bytes) -> bytes:
    """Returns what stands at the path from now on: two collectors whose code differs describe the same file."""
    return data if store.write_if_absent(path, data) else store.read(path)


def _digest(store: Store, path: str) -> str | None:
    try:
        return hashlib.sha256(store.read(path)).hexdigest()
    except FileNotFoundError:
        return None
