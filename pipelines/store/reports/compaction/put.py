"""Puts the next generation: first the files that say what it holds, and then, in one step, the generation itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.generation import (
    INDEXES,
    CompactedFile,
    Generation,
    Spared,
    Withdrawn,
    commit_generation,
)
from pipelines.store.reports.compaction.index import Compacted, encoded
from pipelines.store.reports.compaction.plans import KeptPlan, encoded_plans
from pipelines.store.reports.manifest import UnitManifest
from pipelines.store.reports.problems import problems_path

ATTEMPTS = 10
"""How often somebody begins again when another compaction, or a removal, was quicker."""


class TakenError(InfraError):
    """Another compaction, or a removal, has put the generation of this number."""


@dataclass(frozen=True)
class Content:
    """What a generation holds."""

    units: Sequence[UnitManifest]
    """each part of which has its place"""
    files: Sequence[CompactedFile]
    """that hold their rows"""
    plans: Mapping[str, KeptPlan]
    """of runs, by their stems"""
    withdrawn: Sequence[Withdrawn]
    """units that were removed"""
    withdrawn_plans: Sequence[Withdrawn]


def put_generation(store: Store, old: Compacted, content: Content, token: str) -> None:
    """Writes the index of units and the plans of runs, and then the generation that follows another one.

    Raises:
        TakenError: another one has put the generation of this number; the files of this one are deleted.
    """
    number = old.generation.number + 1
    end = f"{number:06d}-{token}"
    index, copy_of_index = _doubled(store, f"{INDEXES}/units-{end}", encoded(content.units), len(content.units))
    plans, copy_of_plans = None, None
    if content.plans:
        data = encoded_plans(content.plans)
        plans, copy_of_plans = _doubled(store, f"{INDEXES}/plans-{end}", data, len(content.plans))
    problems = sorted({problems_path(unit.problems_digest) for unit in content.units if unit.problems_digest})
    generation = Generation(
        number=number,
        index=index,
        copy_of_index=copy_of_index,
        files=tuple(content.files),
        withdrawn=tuple(content.withdrawn),
        plans=plans,
        copy_of_plans=copy_of_plans,
        withdrawn_plans=tuple(content.withdrawn_plans),
        parts=tuple(Spared(path=path) for path in (*(file.path for file in content.files), *problems)),
    )
    if not commit_generation(store, generation):
        for path in generation.named - old.generation.named - {generation.path}:
            if f"-{end}" in path:
                store.delete(path)
        raise TakenError(f"generation {number} of store {store.uri!r} is another one's")


def _doubled(store: Store, stem: str, data: bytes, rows: int) -> tuple[CompactedFile, str]:
    """Writes a file and its copy, and returns the one and the path of the other."""
    from pipelines.store.reports.compaction.merge import write_checked

    file, copy = write_checked(store, "", f"{stem}.parquet", data, rows), f"{stem}-1.parquet"
    store.write(copy, data)
    return file, copy
