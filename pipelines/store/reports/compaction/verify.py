"""Reads what is compacted again and names what is damaged or missing."""

from collections.abc import Iterator, Sequence

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.reports.compaction.generation import GENERATIONS, copy_path, parse_generation
from pipelines.store.reports.compaction.index import Compacted
from pipelines.store.sealed import Problem, read_if_there, sha256

RESTORED = "its copy is whole; `jepa reports compact` writes both again"
LOST = "no copy of it is whole; restore one of them from a backup"


def damaged_compacted(store: Store, compacted: Compacted) -> Iterator[Problem]:
    """Yields the files of what is compacted that are lost or damaged, those of which a copy is read among them."""
    yield from damaged_index(store, compacted)
    for file in compacted.generation.files:
        yield from _differing(store, file.path, file.sha256, "evaluate again what it held")


def damaged_index(store: Store, compacted: Compacted) -> Iterator[Problem]:
    """Yields the files that are lost or damaged of those that say what is compacted where."""
    generation = compacted.generation
    for path in (generation.path, copy_path(generation.path)):
        data = read_if_there(store, path)
        try:
            # Where it is read it is there; its copy may not have been written yet.
            if data is not None and parse_generation(store, generation.path, data) != generation:
                yield Problem(path=path, kind="damaged", detail=RESTORED)
        except InfraError:
            yield Problem(path=path, kind="damaged", detail=RESTORED)
    for file, paths in generation.doubled:
        found = [problem for path in paths for problem in _differing(store, path, file.sha256, RESTORED)]
        lost = len(found) == len(paths)
        yield from (one.model_copy(update={"detail": LOST}) if lost else one for one in found)


def _differing(store: Store, path: str, digest: str, detail: str) -> Iterator[Problem]:
    data = read_if_there(store, path)
    if data is None or sha256(data) != digest:
        yield Problem(path=path, kind="missing" if data is None else "damaged", detail=detail)


def latest_number(paths: Sequence[str]) -> int:
    """Returns the number of the newest generation among some files."""
    found = [path for path in paths if path.startswith(f"{GENERATIONS}/")]
    return int(max(found, key=lambda path: (len(path), path)).rpartition("/")[2].partition(".")[0])
