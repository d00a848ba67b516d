"""Re-reads every byte of a dataset and names what is damaged or missing."""

from collections.abc import Iterator

import numpy as np

from infra.errors import InfraError
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from pipelines.store.datasets.commit import read_markers
from pipelines.store.datasets.dataset import Dataset
from pipelines.store.datasets.handle import DatasetHandle
from pipelines.store.datasets.index import ChunkTable
from pipelines.store.datasets.integrity.digests import (
    FILE,
    VersionDigests,
    committed_versions,
    is_manifest,
    parse_digests,
    parse_plan,
    recorded,
)
from pipelines.store.datasets.manifest import DatasetManifest, ShardFacts
from pipelines.store.sealed import Findings, Problem, check_file, is_sealed, read_if_there, sha256


class VerifyReport(Findings):
    """What a verification of a dataset found."""

    dataset: str
    version: int
    shards: int
    chunks: int
    bytes: int


def verify(dataset: DatasetHandle, version: int | None = None) -> VerifyReport:
    """Reads all files of a dataset, or of one version of it alone, and compares every digest.

    Raises:
        InputError: there is no such dataset or version.
        InfraError: the store cannot be read.
    """
    numbers = committed_versions(dataset.store, dataset.layout) if version is None else [version]
    if not numbers or (version is not None and version not in committed_versions(dataset.store, dataset.layout)):
        dataset.require(version)
        raise InputError(f"dataset {dataset.name!r} has no version {version}")
    look = _Look(dataset)
    manifests = [manifest for number in numbers if (manifest := look.version(number)) is not None]
    newest = manifests[-1] if manifests and manifests[-1].version == numbers[-1] else None
    if newest is not None and committed_versions(dataset.store, dataset.layout)[-1] == newest.version:
        look.copies(newest)
    look.shards({facts.path: facts for manifest in manifests for facts in manifest.shards}, manifests)
    if version is None:
        look.leftovers()
    return VerifyReport(
        dataset=dataset.name,
        version=numbers[-1],
        shards=len(newest.shards) if newest else 0,
        chunks=newest.total("chunks") if newest else 0,
        bytes=newest.total("bytes") if newest else 0,
        problems=tuple(look.problems),
        unknown=tuple(look.unknown),
    )


class _Look:
    """One verification under way."""

    def __init__(self, dataset: DatasetHandle) -> None:
        self.dataset, self.store, self.layout = dataset, dataset.store, dataset.layout
        self.problems: list[Problem] = []
        self.unknown: list[str] = []
        self._seen: set[str] = set()

    def version(self, number: int) -> DatasetManifest | None:
        """Checks all files of a version but its shards; returns its manifest, None where that is lost for reading."""
        folder = f"versions/{number:06d}"
        digests = self._digests(number)
        try:
            manifest = self.dataset.manifest(number)
        except InfraError as error:
            self._add(Problem(path=f"{folder}/manifest.json", kind="damaged", detail=str(error)))
            return None
        if manifest is None:
            self._add(Problem(path=f"{folder}/manifest.json", kind="missing"))
            return None
        self._document(f"{folder}/manifest.json", recorded(digests, number, "manifest.json"), manifest)
        self._document(f"{folder}/plan.json", recorded(digests, number, "plan.json"), manifest)
        for path, digest in manifest.files.items():
            self._file(f"{folder}/{path}", digest)
        self._markers(manifest, digests)
        return manifest

    def copies(self, manifest: DatasetManifest) -> None:
        """Checks the copies of the newest version's files at the top."""
        for path, digest in manifest.files.items():
            self._file(path, digest)
        self._seen.add("manifest.json")
        top = read_if_there(self.store, self.layout.manifest)
        own = read_if_there(self.store, self.layout.version(manifest.version, "manifest.json"))
        if top is None:
            self._add(Problem(path="manifest.json", kind="missing"))
        elif top != own and not self._is_recorded(manifest, top):
            self._add(Problem(path="manifest.json", kind="damaged"))

    def shards(self, every: dict[str, ShardFacts], manifests: list[DatasetManifest]) -> None:
        """Reads all shards, and of a damaged one says which chunks are."""
        tables: dict[str, ChunkTable] | None = None
        for path, facts in every.items():
            problem = self._file(path, facts.sha256)
            if problem is None or problem.kind == "missing":
                continue
            tables = self._tables(manifests) if tables is None else tables
            data = read_if_there(self.store, self.layout.file(path))
            if facts.split in tables and data is not None:
                detail = "; ".join(_damaged_chunks(tables[facts.split], facts, data))
                self.problems[-1] = problem.model_copy(update={"detail": detail})

    def leftovers(self) -> None:
        """Says which files belong to no version: those of a collection that is under way, or was cut off."""
        paths = (path.removeprefix(f"{self.layout.root}/") for path in self.store.list(f"{self.layout.root}/"))
        left = [path for path in paths if path not in self._seen]
        if left:
            self.unknown.append(f"{len(left)} files belong to no committed version, the first is {left[0]}")

    def _digests(self, number: int) -> VersionDigests | None:
        path = f"versions/{number:06d}/{FILE}"
        self._seen.add(path)
        data = read_if_there(self.store, self.layout.file(path))
        if data is None:
            plan = read_if_there(self.store, self.layout.version(number, "plan.json"))
            if plan is not None and is_sealed(plan):
                self._add(Problem(path=path, kind="missing"))
            else:
                self.unknown.append(
                    f"version {number} was written by earlier code, without {FILE}: its manifest and plan were "
                    "compared with each other and with their copies alone, its markers with the manifest"
                )
            return None
        digests = parse_digests(data)
        if digests is None:
            self._add(Problem(path=path, kind="damaged"))
        return digests

    def _document(self, path: str, digest: str | None, manifest: DatasetManifest) -> None:
        """Checks a manifest or a plan: by its digest or, where that is not known, by what it says."""
        if digest is not None:
            self._file(path, digest)
            return
        self._seen.add(path)
        data = read_if_there(self.store, self.layout.file(path))
        if data is None:
            self._add(Problem(path=path, kind="missing"))
        elif not (is_manifest(data, manifest) if path.endswith("manifest.json") else parse_plan(data) == manifest.plan):
            self._add(Problem(path=path, kind="damaged"))

    def _markers(self, manifest: DatasetManifest, digests: VersionDigests | None) -> None:
        for (shard, marker, digest), facts in zip(
            read_markers(self.dataset, manifest.plan), manifest.shards, strict=False
        ):
            path = self.layout.marker(shard).removeprefix(f"{self.layout.root}/")
            self._seen.add(path)
            known = digest if digests is None else digests.files.get(path)
            if marker is not None and marker.facts == facts and digest == known:
                continue
            there = self.store.exists(self.layout.file(path))
            self._add(Problem(path=path, kind="damaged" if there else "missing"))

    def _file(self, path: str, digest: str) -> Problem | None:
        self._seen.add(path)
        problem = check_file(self.store, self.layout.root, path, digest)
        if problem is not None:
            self._add(problem)
        return problem

    def _add(self, problem: Problem) -> None:
        # A marker belongs to each version from its own on.
        if all(problem.path != known.path for known in self.problems):
            self.problems.append(problem)

    def _is_recorded(self, manifest: DatasetManifest, top: bytes) -> bool:
        data = read_if_there(self.store, self.layout.version(manifest.version, FILE))
        digests = None if data is None else parse_digests(data)
        return sha256(top) == recorded(digests, manifest.version, "manifest.json")

    def _tables(self, manifests: list[DatasetManifest]) -> dict[str, ChunkTable]:
        """Returns the chunks of all splits by the newest version whose table is whole."""
        for manifest in reversed(manifests):
            reader = Dataset(self.store, self.dataset.name, manifest=manifest)
            try:
                return {split: reader.chunk_table(split) for split in SPLITS}
            except InfraError:
                continue
        return {}


def _damaged_chunks(table: ChunkTable, facts: ShardFacts, data: bytes) -> Iterator[str]:
    """Yields which chunks of a damaged shard are themselves damaged; none where the harm lies between them."""
    if facts.path not in table.shards:
        return
    for row in np.flatnonzero(table.shard == table.shards.index(facts.path)).tolist():
        start = int(table.offset[row])
        if sha256(data[start : start + int(table.length[row])]) != table.sha256[row].as_py():
            yield f"episode {table.episode[row]} from frame {table.first_frame[row]}"
