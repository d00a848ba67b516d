"""The index of what is compacted: the manifests of all its units in one file, and where the rows of each part lie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

from pydantic_core import from_json

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.generation import (
    REREADS,
    CompactedFile,
    Generation,
    Withdrawn,
    copy_path,
    generation_stamps,
    parse_generation,
)
from pipelines.store.reports.compaction.plans import KeptPlan, decoded_plans
from pipelines.store.reports.manifest import Part, Place, UnitManifest, restored_unit, warn_once
from pipelines.store.sealed import read_if_there, sha256

HELD = 4
"""Indexes that a process keeps."""


@dataclass(frozen=True)
class Compacted:
    """A generation with its units and plans."""

    generation: Generation
    units: Mapping[str, UnitManifest] = field(default_factory=dict)
    file_of_plans: bytes | None = None
    """which few readers need, and which is read with the rest: it goes when the next generation comes"""
    lost_plans: str = ""
    """a sentence, where that file is lost or damaged with its copy: rows can be read all the same"""

    def revision(self, key: str) -> int:
        """Returns the newest revision of a key that is compacted or was removed, 0 where there is none.

        No manifest that lies loose under this number or a lower one counts.
        """
        held = self.units[key].revision if key in self.units else 0
        return max(held, self.withdrawn[key].revision if key in self.withdrawn else 0)

    def plan_revision(self, stem: str) -> int:
        """Returns the newest revision of a run's plan that is compacted or was removed, 0 where there is none.

        Raises:
            InfraError: the file of the plans is lost.
        """
        held = self.plans[stem].revision if stem in self.plans else 0
        return max(held, self.withdrawn_plans[stem].revision if stem in self.withdrawn_plans else 0)

    @cached_property
    def plans(self) -> Mapping[str, KeptPlan]:
        """Returns the plans of runs by their stems.

        Raises:
            InfraError: the file of them is lost.
        """
        if self.lost_plans:
            raise InfraError(self.lost_plans)
        return {} if self.file_of_plans is None else decoded_plans(self.file_of_plans)

    @cached_property
    def withdrawn_plans(self) -> dict[str, Withdrawn]:
        """Returns the plans that were removed."""
        return {one.key: one for one in self.generation.withdrawn_plans}

    @cached_property
    def withdrawn(self) -> dict[str, Withdrawn]:
        """Returns the units that were removed."""
        return {one.key: one for one in self.generation.withdrawn}

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        """Returns all parts by the files that they were committed as."""
        return {part.path: part for unit in self.units.values() for part in unit.parts}


_READ: dict[tuple[str, str], Compacted] = {}
_LOCK = Lock()


def read_compacted(store: Store) -> Compacted | None:
    """Returns the newest generation with its units; None where the store was never compacted.

    Who lists manifests does so *before*: what is compacted after that is still among those that were listed.

    Raises:
        InfraError: the generation, or the index of its units, is damaged with its copy.
    """
    for _ in range(REREADS):
        stamps = generation_stamps(store)
        if not stamps:
            return None
        path, stamp = next(reversed(stamps.items()))
        name = store.address(path), str(stamp)
        held = _READ.get(name)
        if held is not None:
            return held
        found = _read(store, path)
        if found is None:
            continue  # the next generation has taken its place
        if stamp is not None:
            with _LOCK:
                while len(_READ) >= HELD:
                    _READ.pop(next(iter(_READ)))
                _READ[name] = found
        return found
    raise InfraError(
        f"report tables of store {store.uri!r} are compacted again and again while they are read; try again"
    )


def _read(store: Store, path: str) -> Compacted | None:
    data = read_if_there(store, path)
    if data is None:
        return None
    try:
        generation = parse_generation(store, path, data)
    except InfraError as error:
        copy = read_if_there(store, copy_path(path))
        if copy is None:
            raise
        generation = parse_generation(store, path, copy)
        said = str(error).partition(", and so")[0]
        warn_once(f"{said}: its copy is read; `jepa reports compact` writes both again")
    held = [_whole(store, file, paths) for file, paths in generation.doubled]
    # Files go before the generation does: whether they are lost or only superseded says which is the newest.
    if None in held and next(reversed(generation_stamps(store)), None) != path:
        return None  # the next generation has taken its place
    found = dict(zip((file.path for file, _ in generation.doubled), held, strict=True))
    index, plans = generation.index, generation.plans
    units = None if index is None else found[index.path]
    if index is not None and units is None:
        raise InfraError(_lost(store, index, "where compacted rows lie"))
    file_of_plans = None if plans is None else found[plans.path]
    lost = _lost(store, plans, "which units belong to which run") if plans is not None and file_of_plans is None else ""
    return Compacted(generation, {} if units is None else decoded(units), file_of_plans, lost)


def _whole(store: Store, file: CompactedFile, paths: Sequence[str]) -> bytes | None:
    """Returns the bytes of a file, or of its copy, that have the file's digest; None where none have."""
    for path in paths:
        data = read_if_there(store, path)
        if data is not None and sha256(data) == file.sha256:
            return data
    return None


def _lost(store: Store, file: CompactedFile, what: str) -> str:
    address = store.address(file.path)
    return f"{address} is lost or damaged, which says {what}, and so is its copy; restore one of them from a backup"


def encoded(units: Sequence[UnitManifest]) -> bytes:
    """Returns the file that holds units, each of whose parts has its place.

    A row for each unit; `files` and `firsts` say of each of its parts in which file its rows lie, and from which on.
    """
    import pyarrow as pa

    from pipelines.store.parquet import parquet_bytes

    places = [[part.place for part in unit.parts if part.place is not None] for unit in units]
    rows = [
        {
            "key": unit.key,
            "revision": unit.revision,
            "token": unit.token,
            "manifest": unit.model_dump_json(),
            "files": [f"{place.sha256}/{place.path}" for place in own],
            "firsts": [place.first for place in own],
        }
        for unit, own in zip(units, places, strict=True)
    ]
    text, number = pa.string(), pa.int64()
    kinds: dict[str, pa.DataType] = {"key": text, "revision": number, "token": text, "manifest": text}
    kinds |= {"files": pa.list_(text), "firsts": pa.list_(number)}
    schema = pa.schema(list(kinds.items()))
    return parquet_bytes(pa.Table.from_pylist(rows, schema=schema))


def decoded(data: bytes) -> dict[str, UnitManifest]:
    """Returns the units of a file, whose digest is right, by their keys."""
    from pipelines.store.parquet import read_parquet

    columns = read_parquet(data).to_pydict()
    manifests = from_json(f"[{','.join(columns['manifest'])}]")
    units = {}
    for manifest, files, firsts, revision, token in zip(
        manifests, *(columns[name] for name in ("files", "firsts", "revision", "token")), strict=True
    ):
        places = [_place(file, first) for file, first in zip(files, firsts, strict=True)]
        units[manifest["key"]] = restored_unit(manifest, places, revision, token)
    return units


def _place(file: str, first: int) -> Place:
    digest, _, path = file.partition("/")
    return Place(path, digest, first)
