"""Makes a version of a dataset of finished shards: indexes, card and, last, the manifest."""

from collections.abc import Iterator
from typing import NamedTuple

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import to_json
from pipelines.store.datasets.card import dataset_card
from pipelines.store.datasets.coverage import merge
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.index import TableWriter
from pipelines.store.datasets.integrity.digests import (
    FILE,
    VersionDigests,
    is_manifest,
    parse_plan,
    read_digests,
    repair_remedy,
    write_digests,
)
from pipelines.store.datasets.layout import DatasetLayout
from pipelines.store.datasets.manifest import (
    CoverageEntry,
    DatasetManifest,
    ShardFacts,
    ShardManifest,
    check_same_plan,
    parse_marker,
)
from pipelines.store.datasets.moments import Moments, merge_all
from pipelines.store.datasets.plan import DatasetPlan, ShardPlan
from pipelines.store.formats import FORMATS, ShardFile
from pipelines.store.parquet import read_parquet
from pipelines.store.sealed import read_if_there, sha256

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
    digests = {path: sha256(data) for path, data in sorted(files.items())}
    manifest = make_manifest(dataset.name, plan, gathered, code_version(), codec_trial or {}, digests)
    path = layout.version(plan.version, "manifest.json")
    ours = store.write_if_absent(path, to_json(manifest))
    if not ours:
        held = dataset.manifest(plan.version)
        if held is None:
            raise InfraError(f"{store.address(path)} was there and is gone; is somebody deleting this dataset?")
        check_same_plan(dataset.name, held.plan, plan)
        # A request that was repeated after a lost answer finds its own object.
        ours, manifest = held == manifest, held
    record_digests(dataset, manifest, gathered)
    publish(dataset, manifest)
    return Committed(manifest, ours)


def publish(dataset: DatasetHandle, manifest: DatasetManifest) -> None:
    """Copies a version's files to where the newest is looked for, the manifest last; what is there already stays.

    Raises:
        InfraError: a file of the version is lost or damaged; it is not copied.
    """
    store, layout = dataset.store, dataset.layout
    for path, digest in manifest.files.items():
        if _digest(store, layout.file(path)) != digest:
            store.write(layout.file(path), _whole(store, layout, layout.version(manifest.version, path), digest))
    document = _document(store, layout, manifest)
    if read_if_there(store, layout.manifest) != document:
        store.write(layout.manifest, document)
    if not store.exists(layout.version(manifest.version, FILE)):
        record_digests(dataset, manifest)
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
        self.markers: dict[str, str] = {}
        """SHA-256 of each marker by its path in the dataset's folder"""

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
    for shard, marker, digest in read_markers(dataset, plan):
        if marker is None:
            path = dataset.store.address(dataset.layout.marker(shard))
            raise InfraError(
                f"dataset {dataset.name!r} lacks shard {shard.name}: "
                f"its marker {path} is lost or damaged; collect it again"
            )
        writer.add(marker)
        gathered.add(marker)
        gathered.markers[dataset.layout.marker(shard).removeprefix(f"{dataset.layout.root}/")] = digest
    gathered.tables = writer.finish()
    return gathered


class FoundMarker(NamedTuple):
    """What lies where a shard's marker should be."""

    shard: ShardPlan
    marker: ShardManifest | None
    """None where there is none of this plan, or it is damaged"""
    digest: str
    """SHA-256 of the file; empty without a marker"""


def read_markers(dataset: DatasetHandle, plan: DatasetPlan, count: int | None = None) -> Iterator[FoundMarker]:
    """Yields the first `count` shards (by default all) with their markers, checked against what was recorded."""
    store, layout = dataset.store, dataset.layout
    digests = read_digests(store, layout, plan.version)
    if digests is None and plan.version > 1:
        digests = read_digests(store, layout, plan.version - 1)
    known = digests.files if digests is not None else {}

    def read(number: int) -> FoundMarker:
        shard = plan.shard(number)
        path = layout.marker(shard)
        data = read_if_there(store, path)
        if data is None:
            return FoundMarker(shard, None, "")
        digest, marker = sha256(data), parse_marker(data)
        whole = known.get(path.removeprefix(f"{layout.root}/"), digest) == digest
        if marker is None or not whole or marker.plan_digest != shard.digest:
            return FoundMarker(shard, None, "")
        return FoundMarker(shard, marker, digest)

    with ThreadPool(READERS, "read-marker") as pool:
        numbers = range(plan.shard_count if count is None else count)
        for start in range(0, len(numbers), 8 * READERS):  # a few at a time: a marker may hold thousands of rows
            yield from pool.map(read, numbers[start : start + 8 * READERS])


def record_digests(dataset: DatasetHandle, manifest: DatasetManifest, gathered: Gathered | None = None) -> bool:
    """Writes the digests of a version's documents, if these agree; returns whether they did.

    The manifest and its copy were compared when it was read; that the plan and the markers are whole is seen by making
    the manifest of them again.

    Args:
        dataset: that the version is of.
        manifest: of the version.
        gathered: what the markers say, where they have been read already.
    """
    store, layout, version = dataset.store, dataset.layout, manifest.version
    plan = read_if_there(store, layout.version(version, "plan.json"))
    if plan is None or parse_plan(plan) != manifest.plan:
        return False
    try:
        gathered = gathered or gather(dataset, manifest.plan)
    except InfraError:
        return False
    again = make_manifest(
        manifest.name, manifest.plan, gathered, manifest.code_version, manifest.codec_trial, manifest.files
    )
    if again != manifest or not all(
        _same_table(store, layout.version(version, path), manifest.files[path], table)
        for path, table in zip(("episodes.parquet", "chunks.parquet"), gathered.tables, strict=True)
    ):
        return False
    folder = f"versions/{version:06d}"
    files = gathered.markers | {f"{folder}/{path}": digest for path, digest in manifest.files.items()}
    document = _document(store, layout, manifest)
    files |= {f"{folder}/plan.json": sha256(plan), f"{folder}/manifest.json": sha256(document)}
    digests = VersionDigests(code_version=manifest.code_version, codec_trial=manifest.codec_trial, files=files)
    write_digests(store, layout, version, digests)
    return True


def render_files(
    name: str, plan: DatasetPlan, gathered: Gathered, code: str, codec_trial: dict[str, float]
) -> dict[str, bytes]:
    """Returns every file beside the shards and the manifest, by its path in the dataset's folder."""
    manifest = make_manifest(name, plan, gathered, code, codec_trial, {})
    card = dataset_card(manifest, gathered.all, gathered.policies, gathered.coverage, gathered.steps)
    episodes, chunks = gathered.tables
    return {
        "episodes.parquet": episodes,
        "chunks.parquet": chunks,
        "card.md": card.encode(),
        **_split_indexes(plan, gathered.facts, gathered.quantities),
    }


def make_manifest(
    name: str,
    plan: DatasetPlan,
    gathered: Gathered,
    code: str,
    codec_trial: dict[str, float],
    files: dict[str, str],
) -> DatasetManifest:
    """Returns the manifest of a version: a function of its plan, its markers and the digests of its files."""
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
    data = read_if_there(store, path)
    return None if data is None else sha256(data)


def _same_table(store: Store, path: str, digest: str, made: bytes) -> bool:
    """Returns whether a table says what the markers say; those of earlier code may do so in other bytes."""
    if sha256(made) == digest:
        return True
    data = read_if_there(store, path)
    if data is None or sha256(data) != digest:
        return False
    held = read_parquet(data)
    names = ["policy" if name == "behaviour" else name for name in held.column_names]
    return bool(held.rename_columns(names).equals(read_parquet(made)))


def _whole(store: Store, layout: DatasetLayout, path: str, digest: str) -> bytes:
    data = read_if_there(store, path)
    if data is None or sha256(data) != digest:
        raise InfraError(f"{store.address(path)} is {'lost' if data is None else 'damaged'}; {repair_remedy(layout)}")
    return data


def _document(store: Store, layout: DatasetLayout, manifest: DatasetManifest) -> bytes:
    """Returns the raw bytes of a manifest: of older code they may be others than today's."""
    for path in (layout.version(manifest.version, "manifest.json"), layout.manifest):
        data = read_if_there(store, path)
        if data is not None and is_manifest(data, manifest):
            return data
    return to_json(manifest)
